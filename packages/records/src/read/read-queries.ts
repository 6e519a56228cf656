import { type AccountStatus, type Queryable, statement } from '@rookery/db'
import type { Cid, Did, Nsid, RecordKey, Tid } from '@rookery/syntax'

/** A repo of a host as its readers see it. */
export type FoundRepo = {
  readonly accountId: number
  readonly did: Did
  readonly handle: string | null
  readonly status: AccountStatus
  readonly rev: Tid
  readonly head: Cid
}

const repoColumns = `r.account_id as "accountId", r.did, a.handle, r.status, r.rev, r.head`
const repoByDid = statement<FoundRepo>(
  'repo_by_did',
  `select ${repoColumns} from account a join repo r on r.account_id = a.id where a.host_id = $1 and a.did = $2`,
)
const repoByHandle = statement<FoundRepo>(
  'repo_by_handle',
  `select ${repoColumns} from account a join repo r on r.account_id = a.id where a.host_id = $1 and a.handle = $2`,
)

/** Returns the host's repo that a DID or handle names, whatever its status, or undefined. */
export async function findRepo(db: Queryable, hostId: number, name: string): Promise<FoundRepo | undefined> {
  const find = name.startsWith('did:') ? repoByDid : repoByHandle
  const { rows } = await find(db, [hostId, name.startsWith('did:') ? name : name.toLowerCase()])
  return rows[0]
}

/** What a repo is asked for by. */
export type RepoName = 'did' | 'handle'

/** A repo that is asked for, by its DID, or by its handle in lower case. */
type WantedRepo = { hostId: number; repo: string }

/** A record that is asked for. */
export type WantedRecord = WantedRepo & { collection: string; rkey: string }

/** A record, if there is one, and the repo that was asked for it. */
export type RecordRow = {
  did: Did
  status: AccountStatus
  cid: Buffer | null
  bytes: Buffer | null
  takedown_ref: string | null
}

// Limits keep every look-up a loop of index probes, whatever the planner believes about the tables' sizes.
const repoOf = (name: RepoName) => `
  cross join lateral (select id from account where host_id = w.host_id and ${name} = w.name limit 1) a
  cross join lateral (select did, status from repo where account_id = a.id limit 1) r`
const recordsBy = (name: RepoName) =>
  statement<RecordRow & { index: number }>(
    `records_by_${name}`,
    `select w.n::integer - 1 as index, r.did, r.status, rec.cid, rec.bytes, rec.takedown_ref
       from unnest($1::integer[], $2::text[], $3::text[], $4::text[]) with ordinality
         as w(host_id, name, collection, rkey, n)
       ${repoOf(name)}
       left join lateral (
         select cid, bytes, takedown_ref from record
          where account_id = a.id and collection = w.collection and rkey = w.rkey limit 1) rec on true`,
  )
const records = { did: recordsBy('did'), handle: recordsBy('handle') }

/** Returns what is at paths of the hosts' repos, in the order of the question; undefined where there is no repo. */
export async function findRecordRows(
  db: Queryable,
  by: RepoName,
  wanted: readonly WantedRecord[],
): Promise<(RecordRow | undefined)[]> {
  const { rows } = await records[by](db, [
    wanted.map(({ hostId }) => hostId),
    wanted.map(({ repo }) => repo),
    wanted.map(({ collection }) => collection),
    wanted.map(({ rkey }) => rkey),
  ])
  const found: (RecordRow | undefined)[] = wanted.map(() => undefined)
  for (const row of rows) found[row.index] = row
  return found
}

/** A page of a collection that is asked for: the records between two keys, both left out. */
export type WantedPage = WantedRepo & {
  collection: string
  above: string
  below: string
  limit: number
}

/** A page of records that are not taken down, and the repo that was asked for it. */
export type RecordPage = {
  did: Did
  status: AccountStatus
  /** In the order of the page. */
  rkeys: readonly RecordKey[]
  /** Length of each record, in bytes. */
  sizes: readonly number[]
  /** CID and bytes of each record. */
  payload: Buffer
}

type PageRow = { index: number; did: Did; status: AccountStatus } & (
  | { rkeys: string; sizes: string; payload: string }
  | { rkeys: null; sizes: null; payload: null }
)

// A page is one row: a hundred rows cost PostgreSQL as much, but the driver four times as much. Base 64 is shorter
// than the hexadecimal digits that bytea comes in. The aggregates follow the order of their one sorted subquery.
const pagesBy = (name: RepoName, direction: 'asc' | 'desc') =>
  statement<PageRow>(
    `record_pages_${direction}_by_${name}`,
    `select w.n::integer - 1 as index, r.did, r.status, p.rkeys, p.sizes, p.payload
       from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[]) with ordinality
         as w(host_id, name, collection, above, below, size, n)
       ${repoOf(name)}
       cross join lateral (
         select string_agg(rkey, ',') as rkeys, string_agg(length(bytes)::text, ',') as sizes,
                encode(string_agg(cid || bytes, ''), 'base64') as payload
           from (select rkey, cid, bytes from record
                  where account_id = a.id and collection = w.collection and rkey > w.above and rkey < w.below
                    and takedown_ref is null and r.status = 'active'
                  order by rkey ${direction} limit w.size) page) p`,
  )
const pages = {
  asc: { did: pagesBy('did', 'asc'), handle: pagesBy('handle', 'asc') },
  desc: { did: pagesBy('did', 'desc'), handle: pagesBy('handle', 'desc') },
}

/** Returns pages of the hosts' repos, in the order of the question; undefined where there is no repo. */
export async function findPages(
  db: Queryable,
  by: RepoName,
  direction: 'asc' | 'desc',
  wanted: readonly WantedPage[],
): Promise<(RecordPage | undefined)[]> {
  const { rows } = await pages[direction][by](db, [
    wanted.map(({ hostId }) => hostId),
    wanted.map(({ repo }) => repo),
    wanted.map(({ collection }) => collection),
    wanted.map(({ above }) => above),
    wanted.map(({ below }) => below),
    wanted.map(({ limit }) => limit),
  ])
  const found: (RecordPage | undefined)[] = wanted.map(() => undefined)
  for (const row of rows) found[row.index] = toPage(row)
  return found
}

function toPage({ did, status, rkeys, sizes, payload }: PageRow): RecordPage {
  if (rkeys === null) return { did, status, rkeys: [], sizes: [], payload: Buffer.alloc(0) }
  return {
    did,
    status,
    rkeys: rkeys.split(','),
    sizes: sizes.split(',').map(Number),
    payload: Buffer.from(payload, 'base64'),
  }
}

/** Returns the repo's collections in the order of the table: one index probe per collection. */
export async function listCollections(db: Queryable, accountId: number): Promise<Nsid[]> {
  const { rows } = await db.query<{ collection: Nsid }>(
    `with recursive found (collection) as (
       (select collection from record where account_id = $1 order by collection limit 1)
       union all
       select (select record.collection from record
               where account_id = $1 and record.collection > found.collection order by collection limit 1)
       from found where found.collection is not null)
     select collection from found where collection is not null`,
    [accountId],
  )
  return rows.map(({ collection }) => collection)
}

/** Returns a page of a collection's record keys and CIDs above a key, in ascending order. */
export async function listRecordCids(
  db: Queryable,
  options: { accountId: number; collection: Nsid; above: string; limit: number },
): Promise<{ rkey: RecordKey; cid: Buffer }[]> {
  const { rows } = await db.query<{ rkey: RecordKey; cid: Buffer }>(
    `select rkey, cid from record where account_id = $1 and collection = $2 and rkey > $3 order by rkey limit $4`,
    [options.accountId, options.collection, options.above, options.limit],
  )
  return rows
}

const repoRev = statement<{ rev: Tid }>('repo_rev', 'select rev from repo where account_id = $1')

/** Returns the rev of an account's repo, or undefined if it has none. */
export async function findRepoRev(db: Queryable, accountId: number): Promise<Tid | undefined> {
  return (await repoRev(db, [accountId])).rows[0]?.rev
}
