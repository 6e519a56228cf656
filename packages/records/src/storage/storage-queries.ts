import { type AccountStatus, type Queryable, statement } from '@rookery/db'
import type { Cid, Tid } from '@rookery/syntax'

/** The head of a repo as its row has it. */
export type RepoHead = {
  readonly accountId: number
  readonly hostId: number
  readonly did: string
  readonly status: AccountStatus
  readonly rev: Tid
  /** CID of the signed commit. */
  readonly head: Cid
  /** Root of the tree. */
  readonly data: Cid
  /** The signed commit block. */
  readonly commit: Buffer
  /** Rev of the base pack, or null before the first compaction. */
  readonly baseRev: Tid | null
  readonly baseBytes: number
  readonly deltaBytes: number
  readonly deltaCount: number
}

/** The packs that a cold repo starts from: its base's directory and what commits added since, oldest first. */
export type RepoPacks = { readonly directory: Buffer | undefined; readonly deltas: readonly Buffer[] }

const headColumns = `r.account_id as "accountId", r.host_id as "hostId", r.did, r.status, r.rev, r.head, r.data,
  r.commit, r.base_rev as "baseRev", r.base_bytes as "baseBytes", r.delta_bytes as "deltaBytes",
  r.delta_count as "deltaCount"`

const head = statement<RepoHead>('repo_head', `select ${headColumns} from repo r where r.account_id = $1`)
const lockedHead = statement<RepoHead>(
  'repo_head_for_update',
  `select ${headColumns} from repo r where r.account_id = $1 for update`,
)
// A base's directory is chunk 1 at base_rev, a commit's nodes chunk 0; compaction leaves no other at base_rev.
const packsSinceBase = `p.account_id = r.account_id and p.rev >= coalesce(r.base_rev, '') and p.chunk <= 1`
const loaded = statement<RepoHead & { kind: 'delta' | 'base' | null; bytes: Buffer | null }>(
  'repo_load',
  `select ${headColumns}, p.kind, p.bytes from repo r left join pack p on ${packsSinceBase}
   where r.account_id = $1 order by p.rev`,
)
const packs = statement<{ kind: 'delta' | 'base'; bytes: Buffer }>(
  'repo_packs',
  `select p.kind, p.bytes from repo r join pack p on ${packsSinceBase} where r.account_id = $1 order by p.rev`,
)
const chunks = statement<{ chunk: number; bytes: Buffer }>(
  'repo_chunks',
  `select p.chunk, p.bytes from repo r join pack p on p.account_id = r.account_id and p.rev = r.base_rev
   where r.account_id = $1 and p.chunk = any($2::integer[])`,
)

/** Returns the repo's head, or undefined if the account has none. */
export async function findHead(db: Queryable, accountId: number): Promise<RepoHead | undefined> {
  return (await head(db, [accountId])).rows[0]
}

/** Returns the repo's head and holds its row until the transaction ends: no commit gets in between. */
export async function lockHead(tx: Queryable, accountId: number): Promise<RepoHead | undefined> {
  return (await lockedHead(tx, [accountId])).rows[0]
}

/** Returns the repo's head and, of the same instant, the packs that reading its tree starts from. */
export async function loadRepo(
  db: Queryable,
  accountId: number,
): Promise<{ head: RepoHead; packs: RepoPacks } | undefined> {
  const { rows } = await loaded(db, [accountId])
  const first = rows[0]
  return first && { head: first, packs: collectPacks(rows) }
}

/** Returns the packs that reading the repo's tree starts from. */
export async function loadPacks(db: Queryable, accountId: number): Promise<RepoPacks> {
  return collectPacks((await packs(db, [accountId])).rows)
}

/** Returns chunks of the repo's base pack by number; those that are gone are left out. */
export async function loadChunks(
  db: Queryable,
  accountId: number,
  numbers: readonly number[],
): Promise<{ chunk: number; bytes: Buffer }[]> {
  return (await chunks(db, [accountId, numbers])).rows
}

function collectPacks(rows: readonly { kind: 'delta' | 'base' | null; bytes: Buffer | null }[]): RepoPacks {
  let directory: Buffer | undefined
  const deltas: Buffer[] = []
  for (const { kind, bytes } of rows) {
    if (bytes === null) continue
    if (kind === 'base') directory = bytes
    else deltas.push(bytes)
  }
  return { directory, deltas }
}

/** What a compaction replaces the repo's packs with. */
export type BasePack = {
  readonly rev: Tid
  readonly directory: Buffer
  readonly chunks: readonly Buffer[]
  /** Bytes of all of it. */
  readonly bytes: number
}

/**
 * Puts a base pack in the place of everything up to its rev; commits made since keep their packs. The caller holds
 * the head's lock and has seen that `base_rev` is still the one that it started from.
 */
export async function replaceBase(tx: Queryable, accountId: number, base: BasePack): Promise<void> {
  await tx.query('delete from pack where account_id = $1 and rev <= $2', [accountId, base.rev])
  await insertPacks(tx, accountId, base)
  await tx.query(
    `update repo set base_rev = $2, base_bytes = $3,
       delta_bytes = coalesce((select sum(length(bytes)) from pack p
                               where p.account_id = $1 and p.rev > $2 and p.kind = 'delta'), 0),
       delta_count = (select count(*) from pack p where p.account_id = $1 and p.rev > $2 and p.kind = 'delta')
     where account_id = $1`,
    [accountId, base.rev, base.bytes],
  )
}

/** Inserts a base pack's rows, in statements of bounded size. */
async function insertPacks(tx: Queryable, accountId: number, base: BasePack): Promise<void> {
  for (const [index, bytes] of [base.directory, ...base.chunks].entries()) {
    await tx.query(`insert into pack (account_id, rev, chunk, kind, bytes) values ($1, $2, $3, 'base', $4)`, [
      accountId,
      base.rev,
      index + 1,
      bytes,
    ])
  }
}
