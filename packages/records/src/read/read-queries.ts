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

/** A record, if there is one, and the repo that was asked for it. */
export type RecordRow = {
  did: Did
  status: AccountStatus
  cid: Buffer | null
  bytes: Buffer | null
  takedown_ref: string | null
}

const recordColumns = `select r.did, r.status, rec.cid, rec.bytes, rec.takedown_ref
   from account a join repo r on r.account_id = a.id
   left join record rec on rec.account_id = a.id and rec.collection = $3 and rec.rkey = $4`
const recordByDid = statement<RecordRow>(
  'record_by_did',
  `${recordColumns} where a.host_id = $1 and a.did = $2`,
)
const recordByHandle = statement<RecordRow>(
  'record_by_handle',
  `${recordColumns} where a.host_id = $1 and a.handle = $2`,
)

/** Returns the record at a path of the host's repo that a DID or handle names; undefined if there is no such repo. */
export async function findRecordRow(
  db: Queryable,
  wanted: { hostId: number; repo: string; collection: string; rkey: string },
): Promise<RecordRow | undefined> {
  const isDid = wanted.repo.startsWith('did:')
  const find = isDid ? recordByDid : recordByHandle
  const name = isDid ? wanted.repo : wanted.repo.toLowerCase()
  return (await find(db, [wanted.hostId, name, wanted.collection, wanted.rkey])).rows[0]
}

/** A row of a page of records. */
export type ListedRecord = { rkey: RecordKey; cid: Buffer; bytes: Buffer }

const page = (direction: 'asc' | 'desc'): string =>
  `select rkey, cid, bytes from record
   where account_id = $1 and collection = $2 and rkey > $3 and rkey < $4 and takedown_ref is null
   order by rkey ${direction} limit $5`
const pageUp = statement<ListedRecord>('record_page_asc', page('asc'))
const pageDown = statement<ListedRecord>('record_page_desc', page('desc'))

/** Returns records of a collection between two keys (both left out) that are not taken down. */
export async function listRecordRows(
  db: Queryable,
  options: {
    accountId: number
    collection: Nsid
    above: string
    below: string
    ascending: boolean
    limit: number
  },
): Promise<ListedRecord[]> {
  const { accountId, collection, above, below, limit } = options
  const list = options.ascending ? pageUp : pageDown
  return (await list(db, [accountId, collection, above, below, limit])).rows
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
