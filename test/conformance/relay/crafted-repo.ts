import { Secp256k1Keypair } from '@atproto/crypto'
import {
  BlockMap,
  type CommitData,
  MemoryBlockstore,
  type RecordWriteOp,
  Repo,
  WriteOpAction,
  blocksToCarFile,
  signCommit,
} from '@atproto/repo'
import { encode } from '@ipld/dag-cbor'

import type { Identities, Identity } from './strict-relay.ts'

/** Fields of an event to send other than they are; undefined takes one away. */
export type Change = Record<string, unknown>

const collection = 'app.bsky.feed.post'

/** Returns an event as a frame. */
export function frameOf(type: string, body: Change): Uint8Array {
  const present = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
  return Buffer.concat([encode({ op: 1, t: type }), encode(present)])
}

/** A repo made by the reference implementation's library, whose every event can be bent. */
export class CraftedRepo implements Identities {
  readonly did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
  readonly storage = new MemoryBlockstore()
  identity: Identity | undefined
  key: Secp256k1Keypair
  seq = 2 ** 40
  /** The body of the last event. */
  last: Change = {}
  #repo: Repo | undefined

  private constructor(key: Secp256k1Keypair) {
    this.key = key
    this.identity = { signingKey: key.did(), pdsUrl: 'https://pds.test', handle: 'alice.test' }
  }

  static async create(): Promise<CraftedRepo> {
    return new CraftedRepo(await Secp256k1Keypair.create())
  }

  get repo(): Repo {
    if (this.#repo === undefined) throw new Error('the repo has not begun')
    return this.#repo
  }

  at(): Promise<Identity | undefined> {
    return Promise.resolve(this.identity)
  }

  forget(): void {}

  /** Returns a frame with the fields that every event has. */
  event(type: string, fields: Change, change: Change = {}): Uint8Array {
    this.seq += 1_000
    this.last = { seq: this.seq, time: new Date().toISOString(), ...fields, ...change }
    return frameOf(type, this.last)
  }

  says(change: Change = {}): Uint8Array {
    return this.event('#identity', { did: this.did, handle: 'alice.test' }, change)
  }

  account(change: Change = {}): Uint8Array {
    return this.event('#account', { did: this.did, active: true }, change)
  }

  /** #identity, #account and the empty first commit. */
  async begin(change: Change = {}): Promise<Uint8Array[]> {
    const data = await Repo.formatInitCommit(this.storage, this.did, this.key)
    const frames = [this.says(), this.account()]
    const before = { since: null, prevData: undefined }
    frames.push(await this.commit(data, [], { ...before, ...change }))
    return frames
  }

  /** A commit that creates, changes or deletes the record of a key. */
  async write(rkey: string, text: string | null, change: Change = {}): Promise<Uint8Array> {
    const prev = (await this.repo.data.get(`${collection}/${rkey}`)) ?? undefined
    const record = { $type: collection, text: text ?? '' }
    const write: RecordWriteOp =
      text === null
        ? { action: WriteOpAction.Delete, collection, rkey }
        : { action: prev ? WriteOpAction.Update : WriteOpAction.Create, collection, rkey, record }
    const data = await this.repo.formatCommit(write, this.key)
    const after = await this.repo.applyCommit(data)
    const cid = await after.data.get(`${collection}/${rkey}`)
    const op = { action: write.action, path: `${collection}/${rkey}`, cid, ...(prev ? { prev } : {}) }
    const chain = { since: this.repo.commit.rev, prevData: this.repo.commit.data }
    return this.commit(data, [op], { ...chain, ...change })
  }

  /** The event of a commit that is made: what comes after follows it. */
  async commit(data: CommitData, ops: object[], change: Change = {}): Promise<Uint8Array> {
    await this.storage.applyCommit(data)
    this.#repo = await Repo.load(this.storage, data.cid)
    const blocks = await blocksToCarFile(data.cid, data.relevantBlocks)
    const fields = { repo: this.did, commit: data.cid, rev: data.rev, since: data.since, blocks, ops }
    const constant = { blobs: [], rebase: false, tooBig: false }
    return this.event('#commit', { ...fields, ...constant }, change)
  }

  /** Signs the tree anew, without an event. */
  async resign(rev: string): Promise<void> {
    this.#repo = await this.repo.resignCommit(rev, this.key)
  }

  async sync(change: Change = {}, more?: BlockMap): Promise<Uint8Array> {
    const blocks = new BlockMap()
    await blocks.add(this.repo.commit)
    if (more) blocks.addMap(more)
    const car = await blocksToCarFile(this.repo.cid, blocks)
    return this.event('#sync', { did: this.did, rev: this.repo.commit.rev, blocks: car }, change)
  }

  /** A #commit without operations whose commit object is bent and then signed. */
  async bent(commit: Change, key = this.key): Promise<Uint8Array> {
    const { repo } = this
    const { sig: _, ...unsigned } = { ...repo.commit, ...commit }
    const blocks = new BlockMap()
    const cid = await blocks.add(await signCommit(unsigned, key))
    const car = await blocksToCarFile(cid, blocks)
    const { rev } = unsigned
    const chain = { since: repo.commit.rev, prevData: repo.commit.data }
    const fields = { repo: this.did, commit: cid, rev, ...chain, blocks: car, ops: [] }
    return this.event('#commit', { ...fields, blobs: [], rebase: false, tooBig: false })
  }
}
