import type { Queryable } from '@rookery/db'

/** How much the rows of an account are. */
export type RowTotals = {
  records: number
  /** Different blocks among the records. */
  recordBlocks: number
  /** Different blobs that records refer to. */
  expectedBlobs: number
  /** Those of them that were uploaded. */
  importedBlobs: number
}

/** Counts the account's rows. */
export async function countRows(db: Queryable, accountId: number): Promise<RowTotals> {
  const { rows } = await db.query<RowTotals>(
    `select
       (select count(*) from record where account_id = $1) as records,
       (select count(distinct cid) from record where account_id = $1) as "recordBlocks",
       (select count(distinct cid) from blob_ref where account_id = $1) as "expectedBlobs",
       (select count(*) from blob where account_id = $1 and ref_count > 0) as "importedBlobs"`,
    [accountId],
  )
  return rows[0] ?? { records: 0, recordBlocks: 0, expectedBlobs: 0, importedBlobs: 0 }
}
