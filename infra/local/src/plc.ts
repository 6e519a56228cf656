/**
 * A PLC directory of our own: the official server's routes and validation over a file, so that DIDs survive restarts
 * and the directory keeps answering while PostgreSQL is down, as the real one would.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'

import {
  type CompatibleOpOrTombstone,
  type ExportedOp,
  type IndexedOperation,
  type OpOrTombstone,
  assureValidNextOp,
  getLastOpWithCid,
} from '@did-plc/lib'
import { type PlcDatabase, PlcServer } from '@did-plc/server'

import { appendJsonLine, readJsonLines } from './json-lines.ts'
import { freePort } from './ports.ts'

/** A running PLC directory. */
export type PlcDirectory = AsyncDisposable & { readonly url: string; readonly port: number }

/** Starts a directory on 127.0.0.1 that keeps its operations in `file`; the port defaults to a free one. */
export async function startPlc(options: { file: string; port?: number }): Promise<PlcDirectory> {
  const port = options.port ?? (await freePort())
  const store = new PlcFileStore()
  await store.load(options.file)
  // NOTE: its own `start` would listen on every address of the machine.
  const server = createServer(PlcServer.create({ db: store, port, version: 'local' }).app)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://localhost:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      if (server.listening) await once(server, 'close')
    },
  }
}

/** One line of the file: an accepted operation, in the order of acceptance. */
type StoredOperation = { did: string; operation: OpOrTombstone; createdAt: string }

/** Holds all operations in memory and adds each accepted one to the file before it is acknowledged. */
class PlcFileStore implements PlcDatabase {
  #file = ''
  readonly #byDid = new Map<string, IndexedOperation[]>()
  readonly #inOrder: IndexedOperation[] = []
  #lastMs = 0
  #queue: Promise<unknown> = Promise.resolve()

  async load(file: string): Promise<void> {
    for (const stored of readJsonLines<StoredOperation>(file)) {
      await this.#accept(stored.did, stored.operation, new Date(stored.createdAt))
    }
    this.#file = file
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  healthCheck(): Promise<void> {
    return Promise.resolve()
  }

  /** One operation at a time: validation reads what the operation before it wrote. */
  validateAndAddOp(did: string, proposed: OpOrTombstone): Promise<void> {
    const done = this.#queue.then(async () => {
      // NOTE: `/export?after` pages by time, so no two operations may share a millisecond.
      this.#lastMs = Math.max(Date.now(), this.#lastMs + 1)
      await this.#accept(did, proposed, new Date(this.#lastMs))
    })
    this.#queue = done.catch(() => undefined)
    return done
  }

  async #accept(did: string, operation: OpOrTombstone, createdAt: Date): Promise<void> {
    const known = this.#byDid.get(did) ?? []
    const current = known.filter((op) => !op.nullified)
    const { nullified } = await assureValidNextOp(did, current, operation)
    const { cid } = await getLastOpWithCid([operation])
    if (this.#file !== '') appendJsonLine(this.#file, { did, operation, createdAt })
    for (const op of current) op.nullified = nullified.some((gone) => gone.equals(op.cid))
    const added: IndexedOperation = { did, operation, cid, nullified: false, createdAt }
    this.#byDid.set(did, [...known, added])
    this.#inOrder.push(added)
    this.#lastMs = createdAt.getTime()
  }

  opsForDid(did: string): Promise<CompatibleOpOrTombstone[]> {
    const known = this.#byDid.get(did) ?? []
    return Promise.resolve(known.filter((op) => !op.nullified).map((op) => op.operation))
  }

  indexedOpsForDid(did: string, includeNullified = false): Promise<IndexedOperation[]> {
    const known = this.#byDid.get(did) ?? []
    return Promise.resolve(known.filter((op) => includeNullified || !op.nullified))
  }

  async lastOpForDid(did: string): Promise<CompatibleOpOrTombstone | null> {
    return (await this.opsForDid(did)).at(-1) ?? null
  }

  exportOps(count: number, after?: Date): Promise<ExportedOp[]> {
    const page: ExportedOp[] = []
    for (const op of this.#inOrder) {
      if (after !== undefined && op.createdAt <= after) continue
      page.push({ ...op, cid: op.cid.toString(), createdAt: op.createdAt.toISOString() })
      if (page.length === count) break
    }
    return Promise.resolve(page)
  }
}
