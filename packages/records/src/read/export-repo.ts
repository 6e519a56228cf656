import { Readable } from 'node:stream'

import type { Database, inTransaction } from '@rookery/db'
import {
  MissingBlockError,
  type TreeItem,
  carHeader,
  carSectionHeader,
  openTree,
  walkTree,
} from '@rookery/repo'
import { must } from '@rookery/std'
import { type Cid, type Tid, decodeDataObject, linkOf, parseCid } from '@rookery/syntax'
import { to as copyTo } from 'pg-copy-streams'

import { exportStallMsMax, exportsMax, waitingExportsMax, walkChunksMax } from '../limits.ts'
import { notActive } from '../repo-status.ts'
import { Slots } from '../slots.ts'
import { type RepoHead, loadRepo } from '../storage/storage-queries.ts'
import { StoredNodes } from '../storage/stored-nodes.ts'
import { copyRows } from './copy-rows.ts'
import { copyRecords, copyRecordsSince } from './read-queries.ts'

type Client = Parameters<Parameters<typeof inTransaction>[1]>[0]

/** Size at which bytes go out together. */
const chunkBytes = 64 * 1024

/**
 * Streams repos as CAR files, a bounded number at once, on connections of its own pool: an export can be as slow as
 * its client without a request having to wait. Each is one consistent snapshot in constant memory.
 */
export class RepoExports {
  readonly #pool: Database['pool']
  readonly #slots = new Slots(exportsMax, waitingExportsMax)
  readonly #stallMs: number

  /**
   * @param pool has at least `exportsMax` connections; nothing else waits for them.
   * @param stallMs how long a client may take no byte. Default `exportStallMsMax`.
   */
  constructor(pool: Database['pool'], stallMs: number = exportStallMsMax) {
    this.#pool = pool
    this.#stallMs = stallMs
  }

  /**
   * Opens an export. The whole repo: commit, nodes from the root down, records in the order of their paths. With
   * `since`: the commit and whatever came into the tree after that rev (SPEC DIFF-6…8).
   *
   * The stream must be read or destroyed; either frees its connection.
   *
   * @throws {RepoNotFoundError} if the account has no repo.
   * @throws {ExportsOverloadedError} if too many wait already.
   */
  async open(repo: { accountId: number; did: string; since?: Tid | undefined }): Promise<Readable> {
    const snapshot = await this.#begin(repo)
    const stalled = setTimeout(() => stream.destroy(new Error('the client stalled')), this.#stallMs)
    const blocks = this.#blocks(snapshot, repo.since, () => stalled.refresh())
    const stream = Readable.from(blocks, { objectMode: false, highWaterMark: chunkBytes })
    stream.once('close', () => {
      clearTimeout(stalled)
      void snapshot[Symbol.asyncDispose]()
    })
    return stream
  }

  async #begin(repo: { accountId: number; did: string }): Promise<Snapshot> {
    await using stack = new AsyncDisposableStack()
    stack.use(await this.#slots.acquire())
    const client = await this.#pool.connect()
    let isDone = false
    // A connection in the middle of a copy can't be used again.
    stack.defer(() => client.release(!isDone))
    await client.query(
      `begin isolation level repeatable read read only;
       set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0`,
    )
    const loaded = await loadRepo(client, repo.accountId)
    if (loaded === undefined) {
      await client.query('rollback')
      isDone = true
      throw notActive(repo.did, undefined)
    }
    const { accountId } = repo
    const nodes = new StoredNodes(client, accountId, { packs: loaded.packs, chunksMax: walkChunksMax })
    const owned = stack.move()
    return {
      client,
      head: loaded.head,
      nodes,
      done: async () => {
        await client.query('commit')
        isDone = true
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  }

  /** @param onTaken told whenever the client has taken what was there. */
  async *#blocks(
    snapshot: Snapshot,
    since: Tid | undefined,
    onTaken: () => void,
  ): AsyncGenerator<Buffer, void> {
    const { client, head, nodes } = snapshot
    const out = new Chunks()
    out.add(carHeader(head.head))
    out.addBlock(head.head, head.commit)
    const tree =
      since === undefined ? walkTree(openTree(head.data), nodes) : nodesSince(head.data, nodes, since)
    for await (const item of tree) {
      if (item.kind === 'record') continue
      out.addBlock(item.cid, item.bytes)
      if (out.size < chunkBytes) continue
      yield out.take()
      onTaken()
    }
    const { accountId } = head
    const copy = since === undefined ? copyRecords(accountId) : copyRecordsSince(accountId, since)
    for await (const [cid, bytes] of copyRows(client.query(copyTo(copy)))) {
      out.addBlock(cid, bytes)
      if (out.size < chunkBytes) continue
      yield out.take()
      onTaken()
    }
    await snapshot.done()
    if (out.size > 0) yield out.take()
  }
}

type Snapshot = AsyncDisposable & {
  client: Client
  head: RepoHead
  nodes: StoredNodes
  /** Ends the transaction: the connection can be used again. */
  done: () => Promise<void>
}

/**
 * Yields the live nodes that came into the tree after a rev. A node is never older than one above it in the tree
 * was young: whenever a node comes, so does everything above it. So nothing below an older node is newer.
 */
async function* nodesSince(
  root: Cid,
  nodes: StoredNodes,
  since: Tid,
): AsyncGenerator<Extract<TreeItem, { kind: 'node' }>, void> {
  const ahead = [root]
  for (let cid = ahead.pop(); cid !== undefined; cid = ahead.pop()) {
    const bytes = nodes.peek(cid) ?? (await nodes.getMany([cid])).get(cid)
    if (bytes === undefined) throw new MissingBlockError(cid)
    if (must(nodes.revOf(cid)) <= since) continue
    yield { kind: 'node', cid, bytes, layer: 0 }
    ahead.push(...childrenOf(bytes).toReversed())
  }
}

function childrenOf(bytes: Uint8Array): Cid[] {
  const { l, e } = decodeDataObject(bytes)
  const entries = Array.isArray(e) ? e : []
  const links = [l, ...entries.map((entry) => (entry as { t: typeof l }).t)]
  return links.flatMap((link) => {
    const cid = link === undefined ? undefined : linkOf(link)
    return cid === undefined ? [] : [parseCid(cid)]
  })
}

/** Bytes gathered until they are worth a write. */
class Chunks {
  #parts: Uint8Array[] = []
  size = 0

  add(part: Uint8Array): void {
    this.#parts.push(part)
    this.size += part.length
  }

  addBlock(cid: Cid, bytes: Uint8Array): void {
    this.add(carSectionHeader(cid, bytes.length))
    this.add(bytes)
  }

  /** Returns a copy of everything and starts over. */
  take(): Buffer {
    const out = Buffer.concat(this.#parts, this.size)
    this.#parts = []
    this.size = 0
    return out
  }
}
