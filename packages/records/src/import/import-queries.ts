import { type Connection, copyIn } from '@rookery/db'
import { must } from '@rookery/std'
import type { Cid, Tid } from '@rookery/syntax'

import { importWorkMem } from './limits.ts'

/**
 * The tables of one import live as long as its transaction and are nobody else's: whatever becomes of the process,
 * nothing of them is left.
 *
 * - import_block: the blocks of the CAR, each once. blobs: the CIDs of the blobs that the block refers to, one after
 *   the other. link: of a record of the collection that `$type` names.
 * - import_record: the records of the imported tree.
 * - import_change: those of them that the repo does not have at that path.
 */
const tables = `
  create temp table import_block (
    cid bytea not null, bytes bytea not null, is_record boolean not null, blobs bytea, type text, link bytea
  ) on commit drop;
  alter table import_block alter column bytes set storage external;
  create temp table import_record (
    collection text collate "C" not null, rkey text collate "C" not null, cid bytea not null
  ) on commit drop;
  create temp table import_change (like import_record) on commit drop`

// Hardly any CAR repeats a block: it is cheaper to try than to look.
const indexBlocks = `
  do $$ begin
    create unique index on import_block (cid);
  exception when unique_violation then
    delete from import_block b using (
      select cid, min(ctid) as first from import_block group by cid having count(*) > 1
    ) repeated
    where b.cid = repeated.cid and b.ctid <> repeated.first;
    create unique index on import_block (cid);
  end $$`

/**
 * Begins an import in the open transaction. The limits on statements and idle time are lifted: its signal ends it.
 */
export async function beginImport(connection: Connection): Promise<void> {
  await connection.query(
    `set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local jit = off;
     set local work_mem = '${importWorkMem}';
     ${tables}`,
  )
}

/** Fills import_block, in the order of its columns, leaves out repetitions and makes it ready to be read by CID. */
export async function stageBlocks(connection: Connection, rows: AsyncIterable<Buffer>): Promise<void> {
  await copyIn(connection, 'copy import_block from stdin (format binary)', rows)
  await connection.query(indexBlocks)
  await connection.query('analyze import_block')
}

/** Empties what an earlier walk has left. */
export async function clearRecords(connection: Connection): Promise<void> {
  await connection.query('truncate import_record, import_change')
}

/** Adds rows to import_record, in the order of its columns. */
export async function stageRecords(connection: Connection, rows: Buffer): Promise<void> {
  await copyIn(connection, 'copy import_record from stdin (format binary)', [rows])
}

/** Returns those of the blocks that were staged. */
export async function findStagedBlocks(
  connection: Connection,
  cids: readonly Cid[],
): Promise<{ cid: Cid; bytes: Buffer }[]> {
  const { rows } = await connection.query<{ cid: Buffer; bytes: Buffer }>({
    name: 'import_blocks',
    text: 'select cid, bytes from import_block where cid = any($1::bytea[])',
    values: [cids],
  })
  return rows
}

/** What the imported records add to the repo. */
export type ImportTotals = {
  /** All records of the tree. */
  records: number
  /** Those that the repo does not have yet. */
  changes: number
  /** Bytes of those. */
  bytes: number
  /** References to blobs of those. */
  blobRefs: number
  /** Path of a record whose block is not there, or null. */
  missing: string | null
  /** Path of a record whose block is none, or null. */
  invalid: string | null
}

/** Fills import_change and returns what it amounts to. */
export async function compareRecords(connection: Connection, accountId: number): Promise<ImportTotals> {
  await connection.query('analyze import_record')
  await connection.query(
    `insert into import_change select i.collection, i.rkey, i.cid from import_record i
     left join record r on r.account_id = $1 and r.collection = i.collection and r.rkey = i.rkey
     where r.cid is distinct from i.cid`,
    [accountId],
  )
  await connection.query('analyze import_change')
  const { rows } = await connection.query<ImportTotals>(
    `select (select count(*) from import_record) as records, count(*) as changes,
       coalesce(sum(length(b.bytes)), 0)::bigint as bytes,
       coalesce(sum(length(b.blobs) / 36), 0)::bigint as "blobRefs",
       min(c.collection || '/' || c.rkey) filter (where b.cid is null) as missing,
       min(c.collection || '/' || c.rkey) filter (where not b.is_record) as invalid
     from import_change c left join import_block b on b.cid = c.cid`,
  )
  return must(rows[0])
}

/**
 * Makes the account's records and blob references those of the import; the caller holds the repo's lock, and
 * import_change was filled at the head that it has now. A record that stays where it was keeps its rev and takedown.
 */
export async function replaceRecords(connection: Connection, accountId: number, rev: Tid): Promise<void> {
  await connection.query(
    `delete from record r where r.account_id = $1 and not exists (
       select from import_record i where i.collection = r.collection and i.rkey = r.rkey)`,
    [accountId],
  )
  await connection.query(
    `insert into record (account_id, collection, rkey, cid, rev, link, bytes)
     select $1, c.collection, c.rkey, c.cid, $2, case when b.type = c.collection then b.link end, b.bytes
     from import_change c join import_block b on b.cid = c.cid
     on conflict (account_id, collection, rkey)
     do update set cid = excluded.cid, rev = excluded.rev, link = excluded.link, bytes = excluded.bytes`,
    [accountId, rev],
  )
  await connection.query(
    `delete from blob_ref ref where ref.account_id = $1 and (
       exists (select from import_change c where c.collection = ref.collection and c.rkey = ref.rkey)
       or not exists (select from import_record i where i.collection = ref.collection and i.rkey = ref.rkey))`,
    [accountId],
  )
  await connection.query(
    `insert into blob_ref (account_id, collection, rkey, cid, rev)
     select distinct $1::bigint, c.collection, c.rkey, substring(b.blobs from n * 36 + 1 for 36), $2
     from import_block b join import_change c on c.cid = b.cid
     cross join generate_series(0, length(b.blobs) / 36 - 1) as n
     where b.blobs is not null`,
    [accountId, rev],
  )
  // Every blob's count anew, in the order in which commits lock them.
  await connection.query(
    `with counted as materialized (
       select b.cid, (select count(*) from blob_ref ref where ref.account_id = $1 and ref.cid = b.cid)::integer as refs
       from blob b where b.account_id = $1 order by b.cid for update of b
     )
     update blob b set ref_count = refs,
       unreferenced_at = case when refs = 0 then coalesce(b.unreferenced_at, now()) end,
       state = case when refs > 0 and b.state = 'temporary' then 'permanent' else b.state end
     from counted where b.account_id = $1 and b.cid = counted.cid and b.ref_count <> refs`,
    [accountId],
  )
}
