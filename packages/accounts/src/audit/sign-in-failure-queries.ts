import { type Database, inTransaction } from '@rookery/db'

import type { Account } from '../account.ts'
import { failureWindowMs } from '../limits.ts'

/** What was wrong: the password, or the code that is asked for after it. */
export type FailureKind = 'password' | 'code'

/** Told of a failed sign-in to an account; must not keep the one who asks waiting, nor throw. */
export type NoteFailure = (account: Account, kind: FailureKind) => void

type Counted = { passwords: number; codes: number; audit_id: number | null }

/**
 * Counts a failed sign-in. The audit log has one entry for all of an account's within an hour, with how many there were
 * so far: whoever tries passwords does not fill it.
 */
export async function countSignInFailure(
  db: Pick<Database, 'pool'>,
  account: Account,
  kind: FailureKind,
): Promise<void> {
  await inTransaction(db.pool, async (tx) => {
    const { rows } = await tx.query<Counted>(
      `insert into sign_in_failure as f (account_id, passwords, codes) values ($1, $2, $3)
       on conflict (account_id) do update set
         passwords = excluded.passwords + case when ${isOpen} then f.passwords else 0 end,
         codes = excluded.codes + case when ${isOpen} then f.codes else 0 end,
         audit_id = case when ${isOpen} then f.audit_id end,
         window_started_at = case when ${isOpen} then f.window_started_at else now() end
       returning passwords, codes, audit_id`,
      [account.id, kind === 'password' ? 1 : 0, kind === 'code' ? 1 : 0, failureWindowMs],
    )
    const { passwords, codes, audit_id: auditId } = rows[0] as Counted
    const detail = JSON.stringify({ wrongPasswords: passwords, wrongCodes: codes })
    if (auditId !== null) {
      await tx.query('update audit_entry set detail = $3 where host_id = $1 and id = $2', [
        account.host_id,
        auditId,
        detail,
      ])
      return
    }
    await tx.query(
      `with entry as (
         insert into audit_entry (host_id, tenant_id, did, actor, action, detail)
         values ($2, $3, $4, 'unknown', 'account.sign-in.failed', $5) returning id)
       update sign_in_failure set audit_id = (select id from entry) where account_id = $1`,
      [account.id, account.host_id, account.tenant_id, account.did, detail],
    )
  })
}

const isOpen = `f.window_started_at > now() - $4::integer * interval '1 millisecond'`
