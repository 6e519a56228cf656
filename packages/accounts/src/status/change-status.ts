import { type AccountStatus, type Database, type Queryable, inTransaction } from '@rookery/db'
import { type BusinessEvent, businessEvent } from '@rookery/telemetry'

import { appendAccountEvent, appendIdentityEvent, appendSyncEvent } from '../account-events.ts'
import { lockAccount } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { AccountNotFoundError, ConflictingStatusError } from '../errors.ts'
import { endSessions } from '../sessions/session-queries.ts'
import { lockRepo, updateStatus } from './status-queries.ts'

/** What to change; flags that are not given stay as they are. */
export type StatusChange = {
  /** The reference of a takedown to apply; null to lift it. */
  takedown?: { ref: string } | null
  /** Whether the provider suspends the account. */
  suspended?: boolean
  /** Whether it is deactivated, and when it is then to be deleted. */
  deactivated?: { deleteAfter: Date | null } | null
}

/** Appends the events that tell of a status that has changed, in the transaction that changes it. */
export type AppendStatusEvents = (tx: Queryable, after: Account, before: Account) => Promise<void>

/**
 * Changes an account's status flags and returns the account with the status that follows from them.
 *
 * One transaction: it locks the repo's head first, so that no commit crosses the change: those before it have their
 * event before the #account event, those after it see the new status in their compare. Events are appended only if
 * the effective status changes, so a repeated call changes nothing. Refresh tokens end with a takedown or suspension.
 *
 * @param deps.appendEvents default: #account and, of an account that is active again, #sync of its repo as it is now,
 *   which consumers need not know (SPEC §5); #identity goes first if it was deactivated: it may never have been told of.
 * @throws {AccountNotFoundError} if the account is gone.
 * @throws {ConflictingStatusError} if it is to be activated while it is, or is to be, taken down.
 */
export async function changeAccountStatus(
  deps: { db: Pick<Database, 'pool'>; appendEvents?: AppendStatusEvents },
  accountId: number,
  change: StatusChange,
): Promise<Account> {
  const changed = await inTransaction(deps.db.pool, async (tx) => {
    await lockRepo(tx, accountId)
    const before = await lockAccount(tx, accountId)
    if (before === undefined) throw new AccountNotFoundError('Account not found')
    const after = applyChange(before, change)
    if (change.deactivated === null && after.takedown_ref !== null) {
      throw new ConflictingStatusError('Cannot activate and takedown an account at the same time')
    }
    await updateStatus(tx, after, after.status)
    if (after.status === before.status) return { after, isNew: false }
    if (after.status === 'takendown' || after.status === 'suspended') {
      await endSessions(tx, accountId, { keepsAccessTokens: true })
    }
    await (deps.appendEvents ?? appendStatusEvents)(tx, after, before)
    return { after, isNew: true }
  })
  const { did: account, tenant_id: tenant, status } = changed.after
  if (changed.isNew) businessEvent(eventsByStatus[status], { tenant, account })
  return changed.after
}

const eventsByStatus: Record<AccountStatus, BusinessEvent> = {
  active: 'accountActivated',
  deactivated: 'accountDeactivated',
  suspended: 'accountSuspended',
  takendown: 'accountTakenDown',
}

async function appendStatusEvents(tx: Queryable, after: Account, before: Account): Promise<void> {
  const isBack = after.status === 'active'
  if (isBack && before.deactivated_at !== null) await appendIdentityEvent(tx, after)
  await appendAccountEvent(tx, after)
  if (isBack) await appendSyncEvent(tx, after)
}

function applyChange(account: Account, change: StatusChange): Account {
  const after = { ...account }
  const now = new Date()
  if (change.takedown !== undefined) after.takedown_ref = change.takedown?.ref ?? null
  if (change.suspended !== undefined)
    after.suspended_at = change.suspended ? (account.suspended_at ?? now) : null
  if (change.deactivated !== undefined) {
    after.deactivated_at = change.deactivated === null ? null : (account.deactivated_at ?? now)
    after.delete_after = change.deactivated?.deleteAfter ?? null
  }
  return { ...after, status: statusOf(after) }
}

function statusOf(flags: Pick<Account, 'takedown_ref' | 'suspended_at' | 'deactivated_at'>): AccountStatus {
  if (flags.takedown_ref !== null) return 'takendown'
  if (flags.suspended_at !== null) return 'suspended'
  return flags.deactivated_at === null ? 'active' : 'deactivated'
}
