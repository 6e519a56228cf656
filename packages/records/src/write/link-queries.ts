import { type Queryable, statement } from '@rookery/db'
import type { Nsid, RecordKey } from '@rookery/syntax'

import { replacedDuplicatesMax } from '../limits.ts'

const linked = statement<{ rkey: RecordKey; bytes: Buffer }>(
  'record_linked',
  `select rkey, bytes from record where account_id = $1 and collection = $2 and link = $3
   order by rkey limit ${replacedDuplicatesMax}`,
)

/** Returns the account's records of a collection under a link, oldest key first, bounded. */
export async function findLinked(
  db: Queryable,
  record: { accountId: number; collection: Nsid; link: Buffer },
): Promise<{ rkey: RecordKey; bytes: Buffer }[]> {
  return (await linked(db, [record.accountId, record.collection, record.link])).rows
}
