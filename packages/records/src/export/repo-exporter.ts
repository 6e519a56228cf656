import { Readable } from 'node:stream'

import type { Connection, Database } from '@rookery/db'
import type { Cid, Tid } from '@rookery/syntax'

import { Slots } from '../slots.ts'
import { ExportTimeoutError } from '../errors.ts'
import { openExport } from './export-chunks.ts'
import { type RepoAddress, beginSnapshot, endSnapshot } from './export-queries.ts'
import { exportMsMax, exportStallMsMax, exportsMax, waitingExportsMax } from './limits.ts'
import { type ReadOptions, getServableRepo } from './servable-repo.ts'

export type ExportOptions = ReadOptions & {
  /** Only what came above this rev (SPEC DIFF-6). Default everything. */
  since?: Tid | undefined
  /** Gives up waiting for a place. */
  signal?: AbortSignal
}

/** A repo that is being exported. */
export type OpenExport = {
  /** Its CAR; see `RepoExporter.open`. */
  body: Readable
  /** CID of its signed commit, the CAR's root. */
  head: Cid
  rev: Tid
}

/**
 * Exports repos, a bounded number at once. Each holds one connection of the given pool, which should be there for
 * nothing else: its transaction lasts as long as its client takes.
 */
export class RepoExporter {
  readonly #pool: Database['pool']
  readonly #slots = new Slots(exportsMax, waitingExportsMax)

  constructor(pool: Database['pool']) {
    this.#pool = pool
  }

  /**
   * Opens a repo as it is now and returns its CAR as a stream of bytes, read from the database at the pace of who
   * reads the stream. Destroying it frees the connection at once; the caller must read it to its end or destroy
   * it. Whatever fails midway is an error of the stream, never a short CAR.
   *
   * @throws {ExportsOverloadedError} if too many exports wait.
   * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError}
   */
  async open(address: RepoAddress, options: ExportOptions): Promise<Readable> {
    const { body } = await this.openAt(address, options)
    return body
  }

  /** Opens a repo as `open` does, and says which commit it is. */
  async openAt(address: RepoAddress, options: ExportOptions): Promise<OpenExport> {
    const slot = await this.#slots.acquire(options.signal)
    try {
      const session = new ExportSession(await this.#pool.connect(), slot)
      return await session.open(address, options)
    } catch (error) {
      await slot[Symbol.asyncDispose]()
      throw error
    }
  }
}

/** One export: owns a connection and a place. */
class ExportSession {
  readonly #connection: Connection
  readonly #slot: AsyncDisposable
  #isClosed = false

  constructor(connection: Connection, slot: AsyncDisposable) {
    this.#connection = connection
    this.#slot = slot
    // A connection that breaks fails the statement under way; without a listener it would end the process.
    connection.on('error', ignore)
  }

  async open(address: RepoAddress, options: ExportOptions): Promise<OpenExport> {
    const connection = this.#connection
    try {
      await beginSnapshot(connection)
      const { since } = options
      const head = await getServableRepo(connection, address, options)
      const chunks = await openExport({ connection, head }, { since })
      return { body: this.#stream(chunks), head: head.head, rev: head.rev }
    } catch (error) {
      this.#close({ isDone: false })
      throw error
    }
  }

  #stream(chunks: AsyncGenerator<Buffer, void>): Readable {
    let stall: NodeJS.Timeout | undefined
    const giveUp = (): void => void stream.destroy(new ExportTimeoutError('The export took too long'))
    const total = setTimeout(giveUp, exportMsMax).unref()
    const advance = async (): Promise<void> => {
      const next = await chunks.next()
      if (!next.done) {
        stall = setTimeout(giveUp, exportStallMsMax).unref()
        stream.push(next.value)
        return
      }
      await endSnapshot(this.#connection)
      this.#close({ isDone: true })
      stream.push(null)
    }
    const stream = new Readable({
      highWaterMark: 1,
      read: () => {
        clearTimeout(stall)
        advance().catch((error: unknown) => stream.destroy(error as Error))
      },
      destroy: (error, done) => {
        clearTimeout(stall)
        clearTimeout(total)
        this.#close({ isDone: false })
        // With its connection gone it has nothing more to wait for.
        chunks.return().catch(ignore)
        done(error)
      },
    })
    return stream
  }

  /** Gives the connection back, or closes it: in the middle of a COPY it is good for nothing else. */
  #close({ isDone }: { isDone: boolean }): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#connection.off('error', ignore)
    this.#connection.release(!isDone)
    void this.#slot[Symbol.asyncDispose]()
  }
}

function ignore(): void {}
