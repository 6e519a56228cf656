import type { Queryable } from '@rookery/db'

import { InvalidInviteCodeError } from '../errors.ts'
import type { EarnedCodes } from './earned-codes.ts'

type InviteKey = { hostId: number; tenantId: number; code: string }

/** An invite code as it is stored. */
export type NewInviteCode = {
  hostId: number
  tenantId: number
  code: string
  uses: number
  /** DID that it is for, or `admin`. */
  forAccount: string
  /** DID of who made it, or `admin`. */
  createdBy: string
  disabled: boolean
}

/** Stores invite codes. */
export async function insertInviteCodes(tx: Queryable, codes: readonly NewInviteCode[]): Promise<void> {
  await tx.query(
    `insert into invite_code (host_id, tenant_id, code, available_uses, for_account, created_by, disabled)
     select * from unnest(
       $1::integer[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::boolean[])`,
    [
      codes.map(({ hostId }) => hostId),
      codes.map(({ tenantId }) => tenantId),
      codes.map(({ code }) => code),
      codes.map(({ uses }) => uses),
      codes.map(({ forAccount }) => forAccount),
      codes.map(({ createdBy }) => createdBy),
      codes.map(({ disabled }) => disabled),
    ],
  )
}

/**
 * Returns if the code has a use left that no other running sign-up holds, and locks the code until the transaction
 * ends, so that the claim the caller makes is counted by the next.
 *
 * @throws {InvalidInviteCodeError} if it has none, is disabled, or is from another tenant or from an account that is taken down
 *   or suspended.
 */
export async function reserveInviteUse(tx: Queryable, invite: InviteKey): Promise<void> {
  const { rows } = await tx.query<{ available_uses: number }>(
    `select available_uses from invite_code i
      where host_id = $1 and code = $2 and tenant_id = $3 and not disabled
        and not exists (select from account a
                         where a.host_id = i.host_id and a.did = i.for_account
                           and (a.takedown_ref is not null or a.suspended_at is not null))
      for update`,
    [invite.hostId, invite.code, invite.tenantId],
  )
  const claims = await tx.query<{ held: number }>(
    `select count(*) as held from account_claim where host_id = $1 and invite_code = $2 and expires_at > now()`,
    [invite.hostId, invite.code],
  )
  if ((rows[0]?.available_uses ?? 0) <= (claims.rows[0]?.held ?? 0)) {
    throw new InvalidInviteCodeError('Provided invite code not available')
  }
}

/**
 * Uses the code once.
 *
 * @throws {InvalidInviteCodeError} if it has no use left or was disabled since.
 */
export async function consumeInviteUse(tx: Queryable, invite: InviteKey & { usedBy: string }): Promise<void> {
  const { rowCount } = await tx.query(
    `update invite_code set available_uses = available_uses - 1
      where host_id = $1 and code = $2 and tenant_id = $3 and not disabled and available_uses > 0`,
    [invite.hostId, invite.code, invite.tenantId],
  )
  if (rowCount !== 1) throw new InvalidInviteCodeError('Provided invite code not available')
  await tx.query('insert into invite_code_use (host_id, code, used_by) values ($1, $2, $3)', [
    invite.hostId,
    invite.code,
    invite.usedBy,
  ])
}

/** Returns how many codes the account has earned so far, as `codesToMake` counts them. */
export async function countEarned(
  db: Queryable,
  of: { hostId: number; did: string; epochMs: number },
): Promise<EarnedCodes> {
  const { rows } = await db.query<EarnedCodes>(
    `select count(*) filter (where created_at > 'epoch'::timestamptz + $3 * interval '1 millisecond')::integer
              as "sinceEpoch",
            count(*) filter (where not disabled and available_uses > 0)::integer as open
       from invite_code where host_id = $1 and for_account = $2 and created_by <> 'admin'`,
    [of.hostId, of.did, of.epochMs],
  )
  return rows[0] ?? { sinceEpoch: 0, open: 0 }
}

/** Which invite codes to disable: of the host, and of the tenants if given, these and those for the accounts. */
export type InviteCodesToDisable = {
  hostId: number
  tenantIds: readonly number[] | undefined
  codes: readonly string[]
  /** DIDs. */
  accounts: readonly string[]
}

/** Disables invite codes: nobody signs up with them any more. */
export async function disableInviteCodes(db: Queryable, of: InviteCodesToDisable): Promise<void> {
  await db.query(
    `update invite_code set disabled = true
      where host_id = $1 and ($2::integer[] is null or tenant_id = any($2))
        and (code = any($3) or for_account = any($4))`,
    [of.hostId, of.tenantIds ?? null, of.codes, of.accounts],
  )
}

/** Takes back that codes of the host were disabled, and returns those of the given ones that are there. */
export async function enableInviteCodes(
  db: Queryable,
  of: { hostId: number; codes: readonly string[] },
): Promise<string[]> {
  const { rows } = await db.query<{ code: string }>(
    `update invite_code set disabled = false where host_id = $1 and code = any($2) returning code`,
    [of.hostId, of.codes],
  )
  return rows.map(({ code }) => code)
}

/**
 * Takes the name of a deleted account off invite codes: its own are disabled and nobody's, and of those that it used
 * no trace is left.
 */
export async function forgetInvitesOf(tx: Queryable, hostId: number, did: string): Promise<void> {
  await tx.query(
    `update invite_code set disabled = true, for_account = 'deleted',
         created_by = case when created_by = $2 then 'deleted' else created_by end
      where host_id = $1 and for_account = $2`,
    [hostId, did],
  )
  await tx.query('delete from invite_code_use where host_id = $1 and used_by = $2', [hostId, did])
}
