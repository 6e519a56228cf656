import { type Queryable, statement } from '@rookery/db'
import {
  type AtUri,
  type Did,
  JsonText,
  type Nsid,
  type RecordKey,
  type Tid,
  atUri,
  cidToString,
  tidMicros,
} from '@rookery/syntax'

import { recentRecordsMax, recentWritesMax } from '../limits.ts'

/** A record that was written lately. */
export type RecentRecord = {
  uri: AtUri
  collection: Nsid
  rkey: RecordKey
  cid: string
  /** In its JSON form. */
  value: unknown
  writtenAt: Date
}

type Row = { collection: Nsid; rkey: RecordKey; cid: Buffer; rev: Tid; bytes: Buffer }

// Nothing is recent for a rev below all records: it speaks of another repo, such as the one before a move.
const recent = statement<Row>(
  'recent_records',
  `select collection, rkey, cid, rev, bytes
     from (select * from record where account_id = $1 and rev > $2 order by rev desc limit $4) latest
    where collection = any($3) and takedown_ref is null
      and exists (select from record where account_id = $1 and rev <= $2)
    order by rev desc limit $5`,
)

/** Returns the latest records of an account's collections that were written after a rev, the oldest first. */
export async function listRecentRecords(
  db: Queryable,
  wanted: { accountId: number; did: Did; above: Tid; collections: readonly Nsid[] },
): Promise<RecentRecord[]> {
  const { accountId, did, above, collections } = wanted
  const { rows } = await recent(db, [accountId, above, collections, recentWritesMax, recentRecordsMax])
  return rows.toReversed().map(({ collection, rkey, cid, rev, bytes }) => ({
    uri: atUri(did, collection, rkey),
    collection,
    rkey,
    cid: cidToString(cid),
    value: JSON.parse(new JsonText(bytes.length * 2).cbor(bytes).finish().toString()) as unknown,
    writtenAt: new Date(tidMicros(rev) / 1_000),
  }))
}
