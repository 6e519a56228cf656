/**
 * The write path of one process (invariants 1, 4, 5, 6).
 *
 * Writes of one repo go one after another in the order of their calls; those of different repos share statements
 * (`GroupCommit`). A write computes its commit from the head that this process last saw and stores it if the head
 * is still that one. If another process has moved it, the repo is loaded anew and the write's plan runs again;
 * after a few times the write takes the row's lock first, so it cannot starve. No client sees any of that: a
 * commit fails for its own reasons only. Where that happens often, because a repo's writes come to many processes, heads are looked
 * up first, many in one round trip.
 *
 * Kept heads and nodes advance after the commit is durable; stale ones cost a retry. Whatever the clock says, a
 * new rev is above the one before (SPEC REP-3).
 */
import { type Database, GroupRead, type Queryable, inTransaction } from '@rookery/db'
import { MissingBlockError, findRecord, loadPaths, openTree } from '@rookery/repo'
import { DomainError, must } from '@rookery/std'
import { type Cid, type Tid, type TidClock, cidEquals } from '@rookery/syntax'
import { metrics } from '@rookery/telemetry'

import { findBlobRows } from '../blobs/blob-queries.ts'
import { BlobNotFoundError } from '../blobs/errors.ts'
import { SessionOverError, WritesOverloadedError } from '../errors.ts'
import {
  compactionReminderBytes,
  inlineCompactionsMax,
  joinedBytesMax,
  keptQueuesMax,
  lockedWritesMax,
  looseBytesMax,
  madePacksMax,
  movedShareMax,
  movedShareWeight,
  optimisticAttemptsMax,
  waitingCompactionsMax,
  waitingWritesPerRepoMax,
} from '../limits.ts'
import { notActive } from '../repo-status.ts'
import { Slots } from '../slots.ts'
import { type PackGrowth, compactRepo, compactionNeed, joinDeltas, storeJoined } from '../storage/compact.ts'
import { MadeNodes } from '../storage/made-nodes.ts'
import { NodeCache } from '../storage/node-cache.ts'
import {
  type KnownRepo,
  type RefreshedRepo,
  type RepoHead,
  type RepoPacks,
  type WriteHead,
  findHead,
  loadPacks,
  lockHead,
  refreshRepos,
} from '../storage/storage-queries.ts'
import { readPack } from '../storage/pack.ts'
import { StoredNodes } from '../storage/stored-nodes.ts'
import { type BuiltCommit, type WritePlan, buildCommit } from './build-commit.ts'
import { type CommitOutcome, type NewCommit, storeCommits } from './commit-queries.ts'
import { GroupCommit } from './group-commit.ts'
import { type CachedHead, HeadCache } from './head-cache.ts'
import { type RecordWrite, pathOf } from './record-write.ts'
import type { RepoRef, SignerFor, WrittenRepo } from './signer-for.ts'

export type RepoWriterOptions = {
  pool: Database['pool']
  /** Makes revs; its clock id is random per process. */
  clock: TidClock
  signerFor: SignerFor
  /** Called after commits were stored: wakes the sequencer. */
  onStored: () => void
  /** Called when a repo has grown past what a write's process compacts itself. */
  onCompactionDue: (repo: RepoRef) => void
  /** Told of failures that no caller waits for. */
  onError: (error: unknown) => void
  /** The clock of events' `time`. Default the system's. */
  now?: () => Date
  /** Default a cache of `cachedNodeBytesMax`. */
  nodeCache?: NodeCache
  /** Packs of its own past which the writer joins them. Default `madePacksMax`. */
  madePacksMax?: number
  /** Queues that are kept when no write waits in them. Default `keptQueuesMax`. */
  keptQueuesMax?: number
}

/** A stored commit. */
export type StoredCommit = { readonly cid: Cid; readonly rev: Tid }

/** Writes repos; see the module's header. Disposing waits for writes and compactions under way. */
export class RepoWriter implements AsyncDisposable {
  readonly #options: RepoWriterOptions
  readonly #heads = new HeadCache()
  readonly #nodes: NodeCache
  readonly #group: GroupCommit
  readonly #lookups: GroupRead<KnownRepo, RefreshedRepo>
  /** Moving average: how many of the kept heads that were used had been moved by another process. */
  #movedShare = 0
  readonly #locked = new Slots(lockedWritesMax, Number.POSITIVE_INFINITY)
  /** The last write of each repo and how many wait. Kept when none does: see the gotcha about maps. */
  readonly #queues = new Map<number, { last: Promise<unknown>; waiting: number }>()
  readonly #compactions = new Map<number, Promise<void>>()
  readonly #compacting = new Slots(inlineCompactionsMax, Number.POSITIVE_INFINITY)

  constructor(options: RepoWriterOptions) {
    this.#options = options
    this.#nodes = options.nodeCache ?? new NodeCache()
    this.#group = new GroupCommit(options.pool, options.onStored)
    this.#lookups = new GroupRead((repos) => refreshRepos(options.pool, repos))
  }

  /**
   * Carries out a plan as one commit, durable when this resolves.
   *
   * @returns undefined if the plan had nothing to write.
   * @throws {WritesOverloadedError} if too many writes wait.
   * @throws {BlobNotFoundError} if a record refers to a blob that is not there.
   * @throws {SessionOverError} if the session that writes was ended.
   * @throws {RepoNotFoundError} if the account has no repo.
   * @throws {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} if the account is not active.
   * @throws whatever the plan or `buildCommit` throws.
   */
  commit(repo: WrittenRepo, plan: WritePlan): Promise<StoredCommit | undefined> {
    const askedMs = performance.now()
    return this.#inOrder(repo.accountId, () => {
      endStage('queue', askedMs)
      return this.#commit(repo, plan)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (;;) {
      this.#dropIdleQueues()
      if (this.#queues.size === 0 && this.#compactions.size === 0) return
      const pending = [...this.#queues.values()].map(({ last }) => last)
      await Promise.allSettled([...pending, ...this.#compactions.values()])
    }
  }

  async #inOrder<T>(accountId: number, run: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(accountId) ?? { last: Promise.resolve(), waiting: 0 }
    if (queue.waiting >= waitingWritesPerRepoMax) {
      throw new WritesOverloadedError('Too many writes to this repo are waiting, try again shortly')
    }
    this.#queues.set(accountId, queue)
    queue.waiting++
    const result = queue.last.then(run)
    queue.last = result.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await result
    } finally {
      queue.waiting--
      if (this.#queues.size > (this.#options.keptQueuesMax ?? keptQueuesMax)) this.#dropIdleQueues()
    }
  }

  #dropIdleQueues(): void {
    for (const [accountId, { waiting }] of this.#queues) if (waiting === 0) this.#queues.delete(accountId)
  }

  async #commit(repo: WrittenRepo, plan: WritePlan): Promise<StoredCommit | undefined> {
    for (let attempt = 0; attempt < optimisticAttemptsMax; attempt++) {
      const result = await this.#tryCommit(repo, plan, attempt)
      if (result === 'busy') break
      if (result !== 'retry') return result
    }
    return this.#commitLocked(repo, plan)
  }

  async #tryCommit(
    repo: WrittenRepo,
    plan: WritePlan,
    attempt: number,
  ): Promise<StoredCommit | undefined | 'retry' | 'busy'> {
    const { pool } = this.#options
    const kept = this.#heads.get(repo.accountId)
    const mayUseKept = kept !== undefined && attempt === 0 && this.#movedShare <= movedShareMax
    const begunMs = performance.now()
    const start = mayUseKept ? kept : await this.#lookUp(repo, kept)
    if (!mayUseKept) endStage('load', begunMs)
    try {
      const { sessionEpoch } = repo
      const store = (commit: NewCommit) => this.#group.store({ ...commit, sessionEpoch })
      const result = await this.#build({ db: pool, start, plan, store })
      if (mayUseKept) this.#countUse(result === 'retry')
      return result
    } catch (error) {
      this.#heads.delete(repo.accountId)
      // A compaction has moved the node: the packs are read anew.
      if (error instanceof MissingBlockError) return 'retry'
      // After a lost connection nobody knows whether the commit was stored: to try again could store it twice.
      if (!(error instanceof DomainError) || error instanceof WritesOverloadedError) throw error
      // A plan refuses on the strength of what it saw: that counts only if it was the current head.
      if (await this.#isStale(start)) return 'retry'
      throw error
    }
  }

  /** Holds the row's lock while it computes and stores: nothing can get in between. */
  async #commitLocked(repo: WrittenRepo, plan: WritePlan): Promise<StoredCommit | undefined> {
    await using _slot = await this.#locked.acquire()
    let built: { next: CachedHead; commit: BuiltCommit } | undefined
    const result = await inTransaction(this.#options.pool, async (client) => {
      const head = await lockHead(client, repo.accountId)
      if (head === undefined) throw notActive(repo.did, undefined)
      const packs = await loadPacks(client, repo.accountId)
      const start = { ...opened(head), packs }
      const store = async (commit: NewCommit): Promise<CommitOutcome> =>
        must((await storeCommits(client, [{ ...commit, sessionEpoch: repo.sessionEpoch }]))[0])
      return this.#build({ db: client, start, plan, store, keep: (entry) => (built = entry) })
    })
    if (result === 'retry' || result === 'busy') throw new Error('the head moved under its lock')
    if (built !== undefined) {
      this.#keep(repo, built.next, built.commit)
      this.#options.onStored()
    }
    return result
  }

  async #build(options: {
    db: Queryable
    start: CachedHead & { packs?: RepoPacks }
    plan: WritePlan
    store: (commit: NewCommit) => Promise<CommitOutcome>
    keep?: (built: { next: CachedHead; commit: BuiltCommit }) => void
  }): Promise<StoredCommit | undefined | 'retry' | 'busy'> {
    const { db, start, plan, store } = options
    const { head, tree, packs } = start
    const repo = { accountId: head.accountId, did: head.did }
    const nodes = new StoredNodes(db, head.accountId, {
      cache: this.#nodes,
      ...(packs === undefined ? {} : { packs }),
    })
    const find = async (paths: readonly string[]): Promise<(Cid | undefined)[]> => {
      await loadPaths(tree, paths, nodes)
      return paths.map((path) => findRecord(tree, path))
    }
    const begunMs = performance.now()
    const writes = await plan({ head, find, db })
    if (writes.length === 0) return this.#confirmNothing(start)
    // A rotation moves the head with the key, so a commit that an older key signs is one on an older head.
    const sign = await this.#options.signerFor(repo, head.keyVersion)
    const rev = this.#options.clock.next(head.rev)
    const now = this.#options.now ?? (() => new Date())
    const plannedMs = endStage('plan', begunMs)
    const built = await buildCommit({ head, tree, nodes, writes, rev, sign, now })
    const builtMs = endStage('build', plannedMs)
    const outcome = await store(built.commit)
    endStage('store', builtMs)
    if (outcome === 'head moved') return 'retry'
    if (outcome === 'busy') return 'busy'
    if (outcome !== 'stored') throw await refusal(db, head, { outcome, writes })
    // The kept tree has them; what follows another process's commit begins from the cache.
    if (this.#movedShare > movedShareMax) {
      for (const { cid, bytes } of built.newNodes) this.#nodes.add(cid, bytes)
    }
    const next = follow(start, built)
    if (options.keep === undefined) this.#keep(repo, next, built)
    else options.keep({ next, commit: built })
    return { cid: built.commit.head, rev }
  }

  /** A no-op is decided on a head that must still be the current one: there is no compare to tell. */
  async #confirmNothing(start: CachedHead): Promise<undefined | 'retry'> {
    if (await this.#isStale(start)) return 'retry'
    this.#heads.recount(start.head.accountId)
    return undefined
  }

  async #isStale({ head }: CachedHead): Promise<boolean> {
    const now = await findHead(this.#options.pool, head.accountId)
    return now !== undefined && now.rev !== head.rev
  }

  /** Returns the head as it is now. What other processes added since the kept one goes into the node cache. */
  async #lookUp(repo: RepoRef, kept: CachedHead | undefined): Promise<CachedHead & { packs?: RepoPacks }> {
    // The key is looked up meanwhile. Whether it is there, and new enough, is told when it signs.
    const signer = this.#options.signerFor(repo, 0).catch(() => undefined)
    const found = await this.#lookups.ask({ accountId: repo.accountId, rev: kept?.head.rev })
    await signer
    if (found === undefined) throw notActive(repo.did, undefined)
    if (kept !== undefined) this.#countUse(found.state === 'moved')
    if (found.state === 'unmoved') return must(kept)
    const { head, packs, isWhole } = found
    const start = opened(head)
    if (isWhole) return { ...start, packs }
    for (const delta of packs.deltas) readPack(delta, ({ cid, bytes }) => this.#nodes.add(cid, bytes))
    return start
  }

  #countUse(wasMoved: boolean): void {
    this.#movedShare += ((wasMoved ? 1 : 0) - this.#movedShare) * movedShareWeight
  }

  #keep(repo: RepoRef, entry: CachedHead, built: BuiltCommit): void {
    const kept = this.#heads.set(entry, pathOf(must(built.commit.writes.at(-1))))
    const { growth, made } = entry
    const wasDue = compactionNeed(growth) === 'job'
    const { newNodes, removedNodes, commit } = built
    const packBytes = commit.pack.length
    growth.deltaBytes += packBytes
    growth.looseBytes += packBytes
    if (packBytes > 0) growth.deltaCount++
    // A tree that was trimmed no longer has all nodes that were made before.
    if (kept.tree !== entry.tree) made.restart(commit.rev)
    else made.add({ rev: commit.rev, newNodes, removedNodes, packBytes })
    const need = made.packs > (this.#options.madePacksMax ?? madePacksMax) ? 'join' : compactionNeed(growth)
    if (need === 'none' || this.#compactions.has(repo.accountId)) return
    // The next commit asks again.
    if (this.#compactions.size >= waitingCompactionsMax) return
    if (need === 'join') this.#inBackground(repo, () => this.#join(repo))
    else if (need === 'inline') this.#inBackground(repo, () => this.#compact(repo))
    // Once when it becomes due, and again now and then: the job may take its time.
    else if (!wasDue || passesMultiple(growth.deltaBytes, packBytes, compactionReminderBytes)) {
      this.#inBackground(repo, () => this.#askForCompaction(repo))
    }
  }

  /** A worker may have compacted the repo meanwhile; only its row tells. */
  async #askForCompaction(repo: RepoRef): Promise<void> {
    const head = await findHead(this.#options.pool, repo.accountId)
    if (head === undefined) return
    const { baseBytes, deltaBytes, deltaCount } = head
    this.#setGrowth(repo, { baseBytes, deltaBytes, deltaCount })
    if (compactionNeed(growthOf(head)) === 'job') this.#options.onCompactionDue(repo)
  }

  async #compact(repo: RepoRef): Promise<void> {
    const baseBytes = await compactRepo(this.#options.pool, repo.accountId)
    if (baseBytes === undefined) return
    this.#setGrowth(repo, { baseBytes, deltaBytes: 0, deltaCount: 0, looseBytes: 0, joinedBytes: 0 })
  }

  async #join(repo: RepoRef): Promise<void> {
    const kept = this.#heads.get(repo.accountId)
    if (kept !== undefined && (await this.#joinMade(kept))) return
    const joinedBytes = await joinDeltas(this.#options.pool, repo.accountId)
    this.#setGrowth(repo, { deltaCount: 0, looseBytes: 0, joinedBytes: 0 })
    if (joinedBytes !== undefined && joinedBytes > joinedBytesMax) this.#options.onCompactionDue(repo)
  }

  /** Joins what this process has written, if that is most of what there is to join; false if it is not. */
  async #joinMade({ head, tree, growth, made }: CachedHead): Promise<boolean> {
    // What was joined before is not looked into: now and then all of it is read, so that a cold load stays bounded.
    const isMost = made.packs * 2 >= growth.deltaCount && growth.joinedBytes <= looseBytesMax
    const joined = isMost ? made.join(tree) : undefined
    if (joined === undefined) return false
    if (!(await storeJoined(this.#options.pool, head.accountId, joined))) return false
    made.joined(joined)
    growth.deltaCount -= joined.packs - 1
    growth.looseBytes = 0
    growth.joinedBytes += joined.bytes.length
    return true
  }

  /**
   * Shared with a commit that is under way: what it keeps begins from here too. What came in meanwhile is counted anew at
   * the next cold load.
   */
  #setGrowth(repo: RepoRef, growth: Partial<PackGrowth>): void {
    const kept = this.#heads.get(repo.accountId)
    if (kept === undefined) return
    Object.assign(kept.growth, growth)
    // The packs that it counts are gone.
    if (growth.deltaCount === 0) kept.made.restart(kept.head.rev)
  }

  #inBackground(repo: RepoRef, work: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      await using _slot = await this.#compacting.acquire()
      await work()
    }
    const done = run()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => this.#compactions.delete(repo.accountId))
    this.#compactions.set(repo.accountId, done)
  }
}

/** Tells whether adding the last part to a sum took it past a multiple of something. */
function passesMultiple(sum: number, part: number, of: number): boolean {
  return Math.floor(sum / of) > Math.floor((sum - part) / of)
}

/** Notes how long a stage took and returns the time. */
function endStage(stage: string, begunMs: number): number {
  const nowMs = performance.now()
  metrics.observe('rookery_write_stage_seconds', { stage }, (nowMs - begunMs) / 1_000)
  return nowMs
}

function opened(head: RepoHead): CachedHead {
  const made = new MadeNodes(head.rev)
  return { head, tree: openTree(head.data), growth: growthOf(head), made }
}

function growthOf({ baseBytes, deltaBytes, deltaCount }: WriteHead): PackGrowth {
  return { baseBytes, deltaBytes, deltaCount, looseBytes: 0, joinedBytes: 0 }
}

function follow(start: CachedHead, { commit, tree }: BuiltCommit): CachedHead {
  const { did, status, baseRev, baseBytes, deltaBytes, deltaCount, keyVersion } = start.head
  const { accountId, hostId, rev, head, data } = commit
  return {
    // Field by field: the row that the first head was read from has a commit, which would be kept with all of its slab.
    head: {
      accountId,
      hostId,
      did,
      status,
      rev,
      head,
      data,
      baseRev,
      baseBytes,
      deltaBytes,
      deltaCount,
      keyVersion,
    },
    growth: start.growth,
    made: start.made,
    tree,
  }
}

/** Returns the error that tells a caller why the commit was refused. */
async function refusal(
  db: Queryable,
  head: WriteHead,
  refused: {
    outcome: Exclude<CommitOutcome, 'stored' | 'head moved' | 'busy'>
    writes: readonly RecordWrite[]
  },
): Promise<Error> {
  const { outcome, writes } = refused
  if (outcome === 'session over') return new SessionOverError('Token has been revoked')
  if (outcome !== 'blob missing') return notActive(head.did, outcome === 'no repo' ? undefined : outcome)
  const blobs = writes.flatMap((write) => (write.action === 'delete' ? [] : write.blobs))
  const rows = await findBlobRows(db, head.accountId, blobs)
  const isThere = (cid: Cid): boolean =>
    rows.some((row) => cidEquals(row.cid, cid) && row.takedown_ref === null && row.state !== 'deleting')
  return new BlobNotFoundError(blobs.find((cid) => !isThere(cid)) ?? must(blobs[0]))
}
