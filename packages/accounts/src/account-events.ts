import type { Queryable } from '@rookery/db'
import {
  type AccountEventStatus,
  appendEvent,
  encodeAccountFrame,
  encodeIdentityFrame,
} from '@rookery/events'

import type { Account } from './account.ts'

/**
 * Appends #identity with the account's handle. As with every event, the transaction holds the repo's lock, or no
 * repo is there yet.
 */
export async function appendIdentityEvent(tx: Queryable, account: Account): Promise<void> {
  const { id: accountId, host_id: hostId, did, handle } = account
  const frame = encodeIdentityFrame({ did, time: now(), ...(handle === null ? {} : { handle }) })
  await appendEvent(tx, { hostId, accountId, kind: 'identity', frame })
}

/** Appends #account with the account's status, or with `deleted`. */
export async function appendAccountEvent(
  tx: Queryable,
  account: Account,
  status: AccountEventStatus | undefined = account.status === 'active' ? undefined : account.status,
): Promise<void> {
  const { id: accountId, host_id: hostId, did } = account
  const frame = encodeAccountFrame({ did, time: now(), ...(status === undefined ? {} : { status }) })
  await appendEvent(tx, { hostId, accountId, kind: 'account', frame })
}

function now(): string {
  return new Date().toISOString()
}
