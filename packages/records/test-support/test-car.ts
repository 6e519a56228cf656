import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

import { type BlobStore, blobKey } from '@rookery/blobs'
import type { Database } from '@rookery/db'
import { JobRefusedError } from '@rookery/jobs'
import { type Block, type Sign, TreeBuilder, encodeCar, signCommit } from '@rookery/repo'
import { type Cid, type DataObject, type Tid, cidForCbor, encodeData, tidFrom } from '@rookery/syntax'
import { createLogger } from '@rookery/telemetry'

import { type ImportDeps, type ImportJob, type ImportResult, importRepo } from '../src/index.ts'
import type { AccountRepo } from './account-repo.ts'
import { testClock } from './test-repo.ts'

/** Records by path. */
export type Records = Readonly<Record<string, DataObject>>

/** A repo as some other host would export it. */
export type ForeignCar = { commit: Block; nodes: Block[]; records: Block[]; rev: Tid; bytes: Buffer }

const anySignature: Sign = () => new Uint8Array(64)

/** Builds a repo of records; nobody checks who signed it. */
export async function foreignCar(did: string, records: Records, rev = foreignRev()): Promise<ForeignCar> {
  const blocks = Object.entries(records)
    .map(([path, value]) => ({ path, ...blockOf(value) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const nodes: Block[] = []
  const builder = new TreeBuilder((node) => nodes.push(node))
  for (const { path, cid } of blocks) builder.add(path, cid)
  const commit = await signCommit({ did, rev, data: builder.finish() }, anySignature)
  const bytes = encodeCar(commit.cid, [commit, ...nodes, ...blocks])
  return { commit, nodes, records: blocks, rev, bytes }
}

/** Returns the block of a value. */
export function blockOf(value: DataObject): { cid: Cid; bytes: Buffer } {
  const bytes = encodeData(value)
  return { cid: cidForCbor(bytes), bytes }
}

/** Returns a rev of now, as another host makes it. */
export function foreignRev(aheadMs = 0): Tid {
  return tidFrom((Date.now() + aheadMs) * 1_000, 7)
}

/** Imports as the worker does. */
export class TestImporter {
  readonly #db: Database
  readonly #store: BlobStore
  readonly #change: Partial<ImportDeps>

  constructor(db: Database, store: BlobStore, change: Partial<ImportDeps> = {}) {
    this.#db = db
    this.#store = store
    this.#change = change
  }

  /** Uploads bytes and returns their key. */
  async upload(repo: AccountRepo, bytes: Uint8Array): Promise<string> {
    const key = blobKey({ ...repo, name: `import_${randomBytes(8).toString('hex')}` })
    await this.#store.put(key, Readable.from([Buffer.from(bytes)]))
    return key
  }

  /** Uploads and imports bytes. */
  async import(repo: AccountRepo, bytes: Uint8Array, change: Partial<ImportJob> = {}): Promise<ImportResult> {
    return this.run(repo, await this.upload(repo, bytes), change)
  }

  /** Imports an upload. */
  run(repo: AccountRepo, objectKey: string, change: Partial<ImportJob> = {}): Promise<ImportResult> {
    const deps = {
      pool: this.#db.pool,
      store: this.#store,
      clock: testClock(),
      signerFor: () => Promise.resolve(repo.sign),
      bytesMax: 100_000_000,
      onStored: () => {},
      ...this.#change,
    }
    return importRepo(deps, {
      accountId: repo.accountId,
      objectKey,
      signal: new AbortController().signal,
      log: createLogger('test', 'silent'),
      report: () => Promise.resolve(),
      complete: () => Promise.resolve(),
      ...change,
    })
  }

  /** Imports bytes that must be refused, and returns the reason and the message. */
  async refused(repo: AccountRepo, bytes: Uint8Array): Promise<{ reason: string; message: string }> {
    try {
      await this.import(repo, bytes)
    } catch (error) {
      if (error instanceof JobRefusedError) return { reason: error.reason, message: error.message }
      throw error
    }
    throw new Error('the import was not refused')
  }

  /** Keys of the account's objects. */
  async objects({ hostId, accountId }: AccountRepo): Promise<string[]> {
    return (await this.#store.list({ prefix: `${hostId}/${accountId}/` })).map(({ key }) => key)
  }
}

/** Everything that an import may change, to see that it has not. */
export async function stateOf(db: Database, { accountId }: AccountRepo): Promise<unknown> {
  const read = async (text: string): Promise<unknown> => (await db.pool.query(text, [accountId])).rows
  return {
    repo: await read('select * from repo where account_id = $1'),
    records: await read('select * from record where account_id = $1 order by collection, rkey'),
    packs: await read('select * from pack where account_id = $1 order by rev, chunk'),
    refs: await read('select * from blob_ref where account_id = $1 order by collection, rkey, cid'),
    blobs: await read('select * from blob where account_id = $1 order by cid'),
    events: await read('select * from event_queue where account_id = $1 order by id'),
  }
}
