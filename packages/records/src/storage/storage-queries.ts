import { type AccountStatus, type Queryable, statement } from '@rookery/db'
import { must } from '@rookery/std'
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
  /** Version of the signing key that signs what follows. */
  readonly keyVersion: number
}

/** The head without its commit block: all that writing takes. */
export type WriteHead = Omit<RepoHead, 'commit'>

/** Number in the table of a base pack's first chunk; 0 is a commit's nodes, 1 the directory. */
export const firstChunk = 2

/** The packs that a cold repo starts from: its base's directory and what commits added since, oldest first. */
export type RepoPacks = { readonly directory: Buffer | undefined; readonly deltas: readonly Buffer[] }

const headColumns = `r.account_id as "accountId", r.host_id as "hostId", r.did, r.status, r.rev, r.head, r.data,
  r.commit, r.base_rev as "baseRev", r.base_bytes as "baseBytes", r.delta_bytes as "deltaBytes",
  r.delta_count as "deltaCount", r.key_version as "keyVersion"`

const head = statement<RepoHead>('repo_head', `select ${headColumns} from repo r where r.account_id = $1`)
const lockedHead = statement<RepoHead>(
  'repo_head_for_update',
  `select ${headColumns} from repo r where r.account_id = $1 for update`,
)
// A base's directory is chunk 1 at base_rev, a commit's nodes chunk 0; compaction leaves no other at base_rev.
const packsSinceBase = `p.account_id = r.account_id and p.rev >= coalesce(r.base_rev, '') and p.chunk <= 1`
const packs = statement<{ kind: 'delta' | 'base'; bytes: Buffer }>(
  'repo_packs',
  `select p.kind, p.bytes from repo r join pack p on ${packsSinceBase} where r.account_id = $1 order by p.rev`,
)
const chunks = statement<{ chunk: number; bytes: Buffer }>(
  'repo_chunks',
  `select p.chunk, p.bytes from repo r join pack p on p.account_id = r.account_id and p.rev = r.base_rev
   where r.account_id = $1 and p.chunk = any($2::integer[])`,
)

// One row per repo, whatever the number of packs: `limit` keeps each look-up an index scan of its own.
const refreshed = statement<
  RepoHead & { n: number; packs: Buffer | null; packBytes: number[] | null; hasBase: boolean | null }
>(
  'repo_refresh',
  `select i.n::integer, ${headColumns}, p.packs, p."packBytes", p."hasBase"
   from unnest($1::bigint[], $2::text[]) with ordinality as i(account_id, rev, n)
   cross join lateral (select * from repo where repo.account_id = i.account_id limit 1) r
   cross join lateral (
     select string_agg(p.bytes, ''::bytea order by p.rev) as packs,
       array_agg(length(p.bytes) order by p.rev) as "packBytes", bool_or(p.kind = 'base') as "hasBase"
     from pack p
     where p.account_id = i.account_id and p.chunk <= 1 and r.rev <> i.rev
       and p.rev >= greatest(i.rev, coalesce(r.base_rev, ''))
   ) p`,
)

/** Returns the repo's head, or undefined if the account has none. */
export async function findHead(db: Queryable, accountId: number): Promise<RepoHead | undefined> {
  return (await head(db, [accountId])).rows[0]
}

/** Returns the repo's head and holds its row until the transaction ends: no commit gets in between. */
export async function lockHead(tx: Queryable, accountId: number): Promise<RepoHead | undefined> {
  return (await lockedHead(tx, [accountId])).rows[0]
}

/** A repo of which this process may know a head already. */
export type KnownRepo = {
  readonly accountId: number
  /** Rev of the head that it knows. */
  readonly rev: Tid | undefined
}

/** How a repo is now, compared with what was known of it. */
export type RefreshedRepo =
  | { readonly state: 'unmoved' }
  | {
      readonly state: 'moved'
      readonly head: RepoHead
      /** Since the known rev; if that is not known or a compaction is newer, all that reading the tree starts from. */
      readonly packs: RepoPacks
      readonly isWhole: boolean
    }

/**
 * Looks up the heads of several repos in one round trip, each with the packs that came since; in their order, undefined
 * where there is no repo.
 */
export async function refreshRepos(
  db: Queryable,
  repos: readonly KnownRepo[],
): Promise<(RefreshedRepo | undefined)[]> {
  const { rows } = await refreshed(db, [
    repos.map(({ accountId }) => accountId),
    repos.map(({ rev }) => rev ?? ''),
  ])
  const found: (RefreshedRepo | undefined)[] = repos.map(() => undefined)
  for (const { n, packs, packBytes, hasBase, ...head } of rows) {
    const { rev } = must(repos[n - 1])
    found[n - 1] =
      rev === head.rev
        ? { state: 'unmoved' }
        : {
            state: 'moved',
            head,
            packs: cutPacks(packs, packBytes ?? [], hasBase === true),
            isWhole: rev === undefined || (head.baseRev !== null && head.baseRev >= rev),
          }
  }
  return found
}

/**
 * Returns the repo's head and, of the same instant, the packs that reading its tree starts from: one row, where a row
 * for each pack would repeat the head.
 */
export async function loadRepo(
  db: Queryable,
  accountId: number,
): Promise<{ head: RepoHead; packs: RepoPacks } | undefined> {
  const [found] = await refreshRepos(db, [{ accountId, rev: undefined }])
  return found?.state === 'moved' ? found : undefined
}

function cutPacks(joined: Buffer | null, lengths: readonly number[], hasBase: boolean): RepoPacks {
  let at = 0
  const packs = lengths.map((length) => must(joined).subarray(at, (at += length)))
  return hasBase ? { directory: packs[0], deltas: packs.slice(1) } : { directory: undefined, deltas: packs }
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

function collectPacks(rows: readonly { kind: 'delta' | 'base'; bytes: Buffer }[]): RepoPacks {
  let directory: Buffer | undefined
  const deltas: Buffer[] = []
  for (const { kind, bytes } of rows) {
    if (kind === 'base') directory = bytes
    else deltas.push(bytes)
  }
  return { directory, deltas }
}

const dropPacks = statement('pack_drop', 'delete from pack where account_id = $1 and rev <= $2')
const insertBasePack = statement(
  'pack_insert_base',
  `insert into pack (account_id, rev, chunk, kind, bytes) values ($1, $2, $3, 'base', $4)`,
)
const setBase = statement(
  'repo_set_base',
  `update repo set base_rev = $2, base_bytes = $3, delta_bytes = d.bytes, delta_count = d.count
   from (select coalesce(sum(length(bytes)), 0) as bytes, count(*) as count
         from pack where account_id = $1 and rev > $2 and kind = 'delta') d
   where account_id = $1`,
)

const dropDeltas = statement<{ packs: number; packBytes: number }>(
  'pack_drop_deltas',
  `with dropped as (
     delete from pack where account_id = $1 and rev > coalesce($2, '') and rev <= $3 and chunk = 0
     returning length(bytes) as bytes
   ) select count(*) as packs, coalesce(sum(bytes), 0) as "packBytes" from dropped`,
)
const insertDelta = statement(
  'pack_insert_delta',
  `insert into pack (account_id, rev, chunk, kind, bytes) values ($1, $2, 0, 'delta', $3)`,
)
// The bytes that were written stay counted: they tell when the base is due.
const countDeltas = statement(
  'repo_count_deltas',
  `update repo set delta_count =
     (select count(*) from pack where account_id = $1 and rev > coalesce($2, '') and kind = 'delta')
   where account_id = $1`,
)

/**
 * Puts one delta in the place of those above one rev and up to another; returns how many those were and their bytes. The
 * caller holds the head's lock and has seen, or sees by what this returns, that they are the ones that it has joined.
 */
export async function replaceDeltas(
  tx: Queryable,
  accountId: number,
  joined: { baseRev: Tid | null; since: Tid | null; rev: Tid; bytes: Buffer },
): Promise<{ packs: number; packBytes: number }> {
  const { baseRev, since, rev, bytes } = joined
  const { rows } = await dropDeltas(tx, [accountId, since, rev])
  await insertDelta(tx, [accountId, rev, bytes])
  await countDeltas(tx, [accountId, baseRev])
  return must(rows[0])
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
  await dropPacks(tx, [accountId, base.rev])
  for (const [index, bytes] of [base.directory, ...base.chunks].entries()) {
    await insertBasePack(tx, [accountId, base.rev, index + 1, bytes])
  }
  await setBase(tx, [accountId, base.rev, base.bytes])
}
