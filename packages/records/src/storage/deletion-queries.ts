import type { Queryable } from '@rookery/db'

/** Deletes so many of the account's records and returns how many there were. */
export async function deleteRecords(db: Queryable, accountId: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from record where account_id = $1 and (collection, rkey) in (
       select collection, rkey from record where account_id = $1 order by collection, rkey limit $2)`,
    [accountId, limit],
  )
  return rowCount ?? 0
}

/** Deletes so many of the account's packs and returns how many there were. */
export async function deletePacks(db: Queryable, accountId: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from pack where account_id = $1 and (rev, chunk) in (
       select rev, chunk from pack where account_id = $1 order by rev, chunk limit $2)`,
    [accountId, limit],
  )
  return rowCount ?? 0
}
