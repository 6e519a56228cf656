import {
  type AccountEvent,
  type CommitEvent,
  type IdentityEvent,
  type RelayEvent,
  type SyncEvent,
  readFrame,
} from './frame.ts'
import { type Finding, type Rule, RuleBroken, must } from './rules.ts'
import { type Slice, checkOps, isSignedWith, readSlice } from './slice.ts'
import { tidMs } from './tid.ts'

/** What a DID document said at some time. */
export type Identity = { signingKey: string; pdsUrl: string; handle: string | undefined }

/** Where the checker learns what a DID document said when an event was made. */
export type Identities = {
  /** Returns undefined if the DID did not exist. May answer from what it has. */
  at(did: string, timeMs: number): Promise<Identity | undefined>
  /** Makes the next answer for the DID a fresh one. */
  forget(did: string): void
}

/** What the stream has said of a repo. */
export type RepoState = {
  status: 'unknown' | 'active' | 'takendown' | 'suspended' | 'deactivated' | 'deleted'
  hasIdentity: boolean
  /** The last commit that the stream told of, with its tree. */
  head?: { rev: string; cid: string; data: string }
  /** Whether the next commit may be a first one: the repo is new, or the account came back. */
  mayBegin: boolean
}

const blocksBytesMax = 2_000_000
const syncBytesMax = 10_000
const opsMax = 200
const revAheadMsMax = 5 * 60_000
/** Repos that are remembered, and findings that are kept: the checker's memory is bounded. */
const reposMax = 100_000
const findingsMax = 200
const inactiveStatuses = ['takendown', 'suspended', 'deactivated', 'deleted'] as const

/**
 * Reads one host's firehose from its beginning, as a relay that forgives nothing would, and notes everything that it
 * would refuse. It shares no code with the server: CBOR, CAR, tree and signatures are those of other libraries.
 *
 * Frames are given one after the other. A broken rule is noted and the stream goes on, from what the event claims.
 */
export class StrictRelay {
  readonly findings: Finding[] = []
  readonly repos = new Map<string, RepoState>()
  readonly #identities: Identities
  readonly #pdsUrl: string
  readonly #nowMs: () => number
  #seq = 0
  #hasForgotten = false

  /** @param options.pdsUrl what DID documents must name. */
  constructor(options: { pdsUrl: string; identities: Identities; nowMs?: () => number }) {
    this.#identities = options.identities
    this.#pdsUrl = options.pdsUrl
    this.#nowMs = options.nowMs ?? Date.now
  }

  /** Seq of the last event: the cursor to come back with. */
  get lastSeq(): number {
    return this.#seq
  }

  /** Checks the next frame. */
  async accept(frame: Uint8Array): Promise<void> {
    let did = ''
    try {
      const event = readFrame(frame)
      did = event.did
      must(event.seq > this.#seq, 'seq', `${event.seq} after ${this.#seq}`)
      this.#seq = event.seq
      await this.#check(event)
    } catch (error) {
      if (!(error instanceof RuleBroken)) throw error
      this.note(error.rule, did, error.message)
    }
  }

  /** Adds a finding. */
  note(rule: Rule, did: string, detail: string): void {
    if (this.findings.length < findingsMax) this.findings.push({ rule, seq: this.#seq, did, detail })
  }

  #check(event: RelayEvent): Promise<void> {
    if (event.type === '#identity') return this.#identity(event)
    const repo = this.#repoOf(event.did)
    if (event.type === '#account') return this.#account(event, repo)
    return event.type === '#sync' ? this.#sync(event, repo) : this.#commit(event, repo)
  }

  async #identity({ did, time, handle }: IdentityEvent): Promise<void> {
    this.#repoOf(did).hasIdentity = true
    this.#identities.forget(did)
    const identity = await this.#identities.at(did, Date.parse(time))
    must(identity !== undefined, 'unresolved', did)
    if (handle === undefined || handle === 'handle.invalid') return
    must(identity.handle === handle, 'handle', `${handle}; the document says ${identity.handle}`)
  }

  async #account({ did, time, active, status }: AccountEvent, repo: RepoState): Promise<void> {
    const known = inactiveStatuses.find((name) => name === status)
    must(active ? status === undefined : known !== undefined, 'fields', `active ${active}, status ${status}`)
    const before = repo.status
    repo.status = active ? 'active' : known!
    if (before === 'deleted') {
      must(active || status === 'deleted', 'deleted', `${status} after deleted`)
      repo.mayBegin = true
    }
    if (active) await this.#identified(did, time, 'host', (identity) => identity.pdsUrl === this.#pdsUrl)
  }

  async #sync(event: SyncEvent, repo: RepoState): Promise<void> {
    must(event.blocks.length <= syncBytesMax, 'sync-size', `${event.blocks.length} bytes`)
    const slice = await readSlice(event)
    const before = repo.head
    const head = this.#advance(repo, event, slice)
    must([...slice.blocks.entries()].length === 1, 'sync-blocks', 'more than the commit')
    must(repo.status === 'active', 'inactive', `#sync while ${repo.status}`)
    const isSame = before?.rev === head.rev && before.cid === head.cid
    must(
      before === undefined || isSame || head.rev > before.rev,
      'rev-order',
      `${head.rev} after ${before?.rev}`,
    )
    await this.#checkSigner(event, slice)
  }

  async #commit(event: CommitEvent, repo: RepoState): Promise<void> {
    must(event.blocks.length <= blocksBytesMax, 'slice-size', `${event.blocks.length} bytes`)
    must(event.ops.length <= opsMax, 'ops-count', `${event.ops.length} operations`)
    const slice = await readSlice(event)
    const { head: before, mayBegin } = repo
    const head = this.#advance(repo, event, slice)
    const isAnnounced = repo.hasIdentity && repo.status !== 'unknown'
    must(isAnnounced || this.#hasForgotten, 'announced', 'the first commit comes first')
    must(repo.status === 'active' || this.#hasForgotten, 'inactive', `#commit while ${repo.status}`)
    must(before === undefined || head.rev > before.rev, 'rev-order', `${head.rev} after ${before?.rev}`)
    this.#checkChain(event, before, mayBegin)
    await checkOps(event, slice)
    await this.#checkSigner(event, slice)
  }

  /** The event's commit is what the next one has to follow, whatever else is wrong with it. */
  #advance(
    repo: RepoState,
    event: CommitEvent | SyncEvent,
    { root, commit }: Slice,
  ): NonNullable<RepoState['head']> {
    repo.mayBegin = false
    repo.head = { rev: event.rev, cid: root.toString(), data: commit.data.toString() }
    const aheadMs = tidMs(event.rev) - this.#nowMs()
    must(aheadMs <= revAheadMsMax, 'rev-future', `${event.rev} is ${aheadMs} ms ahead`)
    return repo.head
  }

  #checkChain(event: CommitEvent, before: RepoState['head'], mayBegin: boolean): void {
    if (event.since === null && event.prevData === undefined) {
      must(mayBegin, 'chain', 'a first commit of a repo that has one')
      must(event.ops.length === 0, 'inversion', 'a first commit with operations has no tree to lead back to')
      return
    }
    if (before === undefined && this.#hasForgotten) return
    must(event.since === (before?.rev ?? null), 'chain', `since ${event.since}, not ${before?.rev}`)
    const prevData = event.prevData?.toString()
    must(prevData === before?.data, 'chain', `prevData ${prevData}, not ${before?.data}`)
  }

  async #checkSigner({ did, time }: CommitEvent | SyncEvent, { commit }: Slice): Promise<void> {
    await this.#identified(did, time, 'host', (identity) => identity.pdsUrl === this.#pdsUrl)
    await this.#identified(did, time, 'signature', (identity) => isSignedWith(commit, identity.signingKey))
  }

  /** Breaks the rule unless what is known of the DID, or else what is found anew, passes. */
  async #identified(
    did: string,
    time: string,
    rule: Rule,
    passes: (identity: Identity) => boolean | Promise<boolean>,
  ): Promise<void> {
    let identity = await this.#identities.at(did, Date.parse(time))
    if (identity !== undefined && (await passes(identity))) return
    this.#identities.forget(did)
    identity = await this.#identities.at(did, Date.parse(time))
    must(identity !== undefined, 'unresolved', did)
    must(await passes(identity), rule, JSON.stringify(identity))
  }

  #repoOf(did: string): RepoState {
    const known = this.repos.get(did)
    if (known !== undefined) return known
    const oldest = this.repos.keys().next()
    if (this.repos.size >= reposMax && oldest.done !== true) {
      this.repos.delete(oldest.value)
      this.#hasForgotten = true
    }
    const repo: RepoState = { status: 'unknown', hasIdentity: false, mayBegin: true }
    this.repos.set(did, repo)
    return repo
  }
}
