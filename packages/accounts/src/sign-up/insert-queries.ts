import { type EventKind, type Queryable, statement } from '@rookery/db'
import type { EventFrame } from '@rookery/events'

import { columns } from '../account-queries.ts'
import type { Account } from '../account.ts'
import type { Claim } from './claim-queries.ts'

/** What a new account begins with, besides the names of its claim. */
export type NewAccount = {
  tenantId: number
  passwordHash: string | null
  deactivatedAt: Date | null
  deleteAfter: Date | null
  /** Its first session's. */
  refreshToken: { id: string; expiresAt: Date }
  /** The network that it is made from; null if that is nobody's. */
  deviceId: string | null
  /** In their order. */
  events: readonly { kind: EventKind; frame: EventFrame }[]
}

// A round trip costs more than any of these rows. Events may go before the repo, as nobody else knows of the account.
const insert = statement<Account & { last_rev: string | null }>(
  'account_insert_with_session',
  `with claim as (delete from account_claim where host_id = $1 and did = $2 returning did),
        tombstone as (delete from account_tombstone where host_id = $1 and did = $2 returning rev),
        made as (
          insert into account (host_id, did, tenant_id, handle, email, password_hash, deactivated_at, delete_after)
          select $1, $2, $3, $4, $5, $6, $7, $8 from claim returning ${columns}),
        event as (
          insert into event_queue (host_id, account_id, kind, seq_offset, frame)
          select made.host_id, made.id, e.kind, e.seq_offset, e.frame
            from made cross join unnest($9::text[], $10::integer[], $11::bytea[])
              with ordinality as e(kind, seq_offset, frame, n) order by e.n),
        token as (insert into refresh_token (account_id, id, expires_at) select id, $12, $13 from made),
        device as (
          insert into known_device (account_id, device_id) select id, $14::text from made where $14::text is not null)
   select made.*, (select rev from tombstone) as last_rev from made`,
)

/**
 * Makes the account of a claim, gives the claim up and removes the tombstone of the DID's deleted account. A DID,
 * handle or address that is taken is a unique violation of PostgreSQL.
 *
 * @returns the account, with the tombstone's rev if there was one; undefined if the claim was no longer there.
 */
export async function insertAccount(
  tx: Queryable,
  claim: Claim,
  made: NewAccount,
): Promise<{ account: Account; lastRev: string | undefined } | undefined> {
  const { refreshToken, events } = made
  const { rows } = await insert(tx, [
    claim.hostId,
    claim.did,
    made.tenantId,
    claim.handle,
    claim.email,
    made.passwordHash,
    made.deactivatedAt,
    made.deleteAfter,
    events.map(({ kind }) => kind),
    events.map(({ frame }) => frame.seqOffset),
    events.map(({ frame }) => frame.frame),
    refreshToken.id,
    refreshToken.expiresAt,
    made.deviceId,
  ])
  const [row] = rows
  if (row === undefined) return undefined
  const { last_rev: lastRev, ...account } = row
  return { account, lastRev: lastRev ?? undefined }
}
