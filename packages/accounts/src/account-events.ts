import type { Queryable } from '@rookery/db'
import {
  type AccountEventStatus,
  type EventFrame,
  appendEvent,
  encodeAccountFrame,
  encodeIdentityFrame,
  encodeSyncFrame,
} from '@rookery/events'
import { encodeCar } from '@rookery/repo'

import type { Account } from './account.ts'
import { findSignedHead } from './status/status-queries.ts'

/**
 * Appends #identity with the account's handle. As with every event, the transaction holds the repo's lock, or no
 * repo is there yet.
 */
export async function appendIdentityEvent(tx: Queryable, account: Account): Promise<void> {
  const { id: accountId, host_id: hostId } = account
  await appendEvent(tx, { hostId, accountId, kind: 'identity', frame: identityFrame(account) })
}

/** Appends #account with the account's status, or with `deleted`. */
export async function appendAccountEvent(
  tx: Queryable,
  account: Account,
  status: AccountEventStatus | undefined = account.status === 'active' ? undefined : account.status,
): Promise<void> {
  const { id: accountId, host_id: hostId, did } = account
  await appendEvent(tx, { hostId, accountId, kind: 'account', frame: accountFrame(did, status) })
}

/** Returns the frame of an #identity. */
export function identityFrame({ did, handle }: Pick<Account, 'did' | 'handle'>): EventFrame {
  return encodeIdentityFrame({ did, time: now(), ...(handle === null ? {} : { handle }) })
}

/** Returns the frame of an #account; without a status it says that the account is active. */
export function accountFrame(did: string, status?: AccountEventStatus): EventFrame {
  return encodeAccountFrame({ did, time: now(), ...(status === undefined ? {} : { status }) })
}

/** Appends #sync of the repo's head as it is; nothing if there is no repo. */
export async function appendSyncEvent(tx: Queryable, account: Account): Promise<void> {
  const { id: accountId, host_id: hostId, did } = account
  const head = await findSignedHead(tx, accountId)
  if (head === undefined) return
  const { rev, cid, bytes } = head
  const frame = encodeSyncFrame({ did, rev, blocks: encodeCar(cid, [{ cid, bytes }]), time: now() })
  await appendEvent(tx, { hostId, accountId, kind: 'sync', frame })
}

function now(): string {
  return new Date().toISOString()
}
