import { type AccountStatus, type Connection, type Queryable, statement } from '@rookery/db'
import type { Cid, Tid } from '@rookery/syntax'

import type { RepoHead } from '../storage/storage-queries.ts'

/** The name of a repo on the network: its DID, on one of our hosts. */
export type RepoAddress = { readonly hostId: number; readonly did: string }

const byDid = statement<RepoHead>(
  'repo_head_by_did',
  `select r.account_id as "accountId", r.host_id as "hostId", r.did, r.status, r.rev, r.head, r.data, r.commit,
     r.base_rev as "baseRev", r.base_bytes as "baseBytes", r.delta_bytes as "deltaBytes",
     r.delta_count as "deltaCount", r.key_version as "keyVersion"
   from account a join repo r on r.account_id = a.id where a.host_id = $1 and a.did = $2`,
)

const tombstone = statement<{ did: string }>(
  'repo_tombstone',
  'select did from account_tombstone where host_id = $1 and did = $2',
)

const recordBytes = statement<{ cid: Buffer; bytes: Buffer }>(
  'record_block',
  'select cid, bytes from record where account_id = $1 and collection = $2 and rkey = $3',
)

// No index leads to a record by its CID: this reads all rows of the account, but the bytes only of those it returns.
const recordsByCid = statement<{ cid: Buffer; bytes: Buffer }>(
  'record_blocks_by_cid',
  'select distinct on (cid) cid, bytes from record where account_id = $1 and cid = any($2::bytea[])',
)

const page = statement<ListedRepo>(
  'repo_list',
  `select a.id as "accountId", a.did, r.head, r.rev, r.status
   from account a join repo r on r.account_id = a.id
   where a.host_id = $1 and a.id > $2 order by a.id limit $3`,
)

/** One line of `listRepos`. */
export type ListedRepo = { accountId: number; did: string; head: Cid; rev: Tid; status: AccountStatus }

/** Returns the head of a repo of this host, or undefined. */
export async function findHeadByDid(db: Queryable, address: RepoAddress): Promise<RepoHead | undefined> {
  return (await byDid(db, [address.hostId, address.did])).rows[0]
}

/** Tells whether the host has had a repo of this DID that was deleted. */
export async function hasTombstone(db: Queryable, address: RepoAddress): Promise<boolean> {
  return (await tombstone(db, [address.hostId, address.did])).rows.length > 0
}

/** Returns a record's block, whether it is taken down or not, or undefined. */
export async function findRecordBlock(
  db: Queryable,
  record: { accountId: number; collection: string; rkey: string },
): Promise<{ cid: Cid; bytes: Buffer } | undefined> {
  return (await recordBytes(db, [record.accountId, record.collection, record.rkey])).rows[0]
}

/** Returns those of the blocks that are records of the account. */
export async function findRecordBlocks(
  db: Queryable,
  accountId: number,
  cids: readonly Cid[],
): Promise<{ cid: Cid; bytes: Buffer }[]> {
  return (await recordsByCid(db, [accountId, cids])).rows
}

/** Returns the host's repos after one account, in the order in which the accounts were made. */
export async function listRepoRows(
  db: Queryable,
  options: { hostId: number; afterAccount: number; limit: number },
): Promise<ListedRepo[]> {
  return (await page(db, [options.hostId, options.afterAccount, options.limit])).rows
}

/**
 * Begins the transaction of an export: everything it reads is of the instant of its first statement, however long it
 * takes. The limits on statements and idle time are lifted because its client's pace is its own; the planner keeps
 * to index lookups whatever the statistics say.
 */
export async function beginSnapshot(connection: Connection): Promise<void> {
  await connection.query(
    `begin isolation level repeatable read read only;
     set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
     set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off;
     set local max_parallel_workers_per_gather = 0; set local jit = off`,
  )
}

/** Ends the transaction of an export. */
export async function endSnapshot(connection: Connection): Promise<void> {
  await connection.query('commit')
}

/** A run of records of one collection: both ends count. */
export type RecordRun = { collection: string; first: string; last: string }

/** Returns the COPY of the blocks of runs of an account's records, each behind its CID, in the order of the runs. */
export function copyRuns(connection: Connection, accountId: number, runs: readonly RecordRun[]): string {
  const values = runs.map(
    ({ collection, first, last }, n) =>
      `(${n}, ${[collection, first, last].map((text) => connection.escapeLiteral(text)).join(', ')})`,
  )
  return `copy (
    select r.cid || r.bytes from (values ${values.join(', ')}) as run (n, collection, first, last)
    cross join lateral (
      select cid, bytes, rkey from record
      where account_id = ${accountId} and collection = run.collection collate "C"
        and rkey >= run.first collate "C" and rkey <= run.last collate "C"
    ) as r
    order by run.n, r.rkey
  ) to stdout (format binary)`
}

/** Returns the COPY of the blocks of an account's records that came or changed above a rev, each behind its CID. */
export function copyRecordsSince(connection: Connection, accountId: number, since: Tid): string {
  return `copy (
    select cid || bytes from record where account_id = ${accountId} and rev > ${connection.escapeLiteral(since)}
    order by rev
  ) to stdout (format binary)`
}
