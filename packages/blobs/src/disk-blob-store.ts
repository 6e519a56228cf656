import { randomBytes } from 'node:crypto'
import { open as openDescriptor, closeSync, fstatSync, fsync } from 'node:fs'
import {
  type FileHandle,
  constants,
  mkdir,
  open,
  readdir,
  rename,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'

import { assert } from '@rookery/std'

import {
  type BlobObject,
  type BlobObjectInfo,
  type BlobStore,
  type ByteRange,
  type ListOptions,
  assertBlobKey,
  assertBlobPrefix,
} from './blob-store.ts'
import { BlobObjectNotFoundError, BlobRangeError, BlobStoreUnavailableError } from './errors.ts'
import { FileBuffers } from './file-buffers.ts'
import { FileSink, type NewFile } from './file-sink.ts'
import {
  deleteManyKeysMax,
  deletesInFlightMax,
  directBlockBytes,
  fileReadBytes,
  knownDirectoriesMax,
  listEntriesMax,
} from './limits.ts'

// Without the objects that the promises of node:fs wrap around each file, which several calls per upload make dear.
const openFile = promisify(openDescriptor)
const sync = promisify(fsync)

const newFileFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

/** Where a disk store keeps its files. */
export type DiskBlobStoreOptions = {
  /** Directory of the store's own; made if it is not there. */
  dir: string
}

// Enough to win against any number of deletions that remove the directory in between.
const placeAttemptsMax = 100

/**
 * Keeps objects as files; see `BlobStore` for the contract.
 *
 * `<dir>/objects/<host>/<account>/<first two characters of name>/<name>` holds an object, `<dir>/incoming/` what is
 * being written. A put writes and syncs the file there, then renames it into place and syncs the directory: no
 * reader and no crash ever sees half of one. Files are written past the page cache where the file system allows it:
 * uploads are read a few times at most, and would push out what the database needs. Directories that become empty are removed. Keys cannot leave the
 * directory, because their characters allow neither dots nor further slashes.
 */
export class DiskBlobStore implements BlobStore {
  readonly #objects: string
  readonly #incoming: string
  /** Directories whose own names were made durable, by path: who they were. Another process may have removed one since. */
  readonly #durable = new Map<string, string>()
  readonly #buffers = new FileBuffers()
  #isDirect: Promise<boolean> | undefined

  constructor(options: DiskBlobStoreOptions) {
    this.#objects = resolve(options.dir, 'objects')
    this.#incoming = resolve(options.dir, 'incoming')
  }

  async put(key: string, body: Readable, signal?: AbortSignal): Promise<number> {
    assertBlobKey(key)
    const giveUp = (): unknown => body.destroy()
    signal?.addEventListener('abort', giveUp)
    let sourceError: unknown
    body.once('error', (error) => {
      sourceError = error
    })
    const temporary = join(this.#incoming, randomBytes(16).toString('hex'))
    try {
      signal?.throwIfAborted()
      const size = await this.#write(temporary, body)
      signal?.throwIfAborted()
      await this.#place(temporary, this.#path(key))
      return size
    } catch (error) {
      body.destroy()
      await unlink(temporary).catch(() => undefined)
      if (signal?.aborted) throw signal.reason
      throw sourceError ?? unavailable('put', error)
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  async get(key: string, range?: ByteRange): Promise<BlobObject> {
    assertBlobKey(key)
    let file: FileHandle | undefined
    try {
      file = await open(this.#path(key))
      const { size } = await file.stat()
      if (range && range.start >= size) throw new BlobRangeError(`range outside ${key}`)
      const start = range?.start ?? 0
      const length = Math.min(range?.end ?? size, size - 1) - start + 1
      return { size, length, body: await openBody(file, { start, length }) }
    } catch (error) {
      await file?.close()
      if (error instanceof BlobRangeError) throw error
      if (isMissing(error)) throw new BlobObjectNotFoundError(key, { cause: error })
      throw unavailable('get', error)
    }
  }

  async head(key: string): Promise<BlobObjectInfo | undefined> {
    assertBlobKey(key)
    try {
      const { size, mtime } = await stat(this.#path(key))
      return { key, size, modifiedAt: mtime }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw unavailable('head', error)
    }
  }

  /** Files have no address of their own. */
  signUrl(key: string): Promise<undefined> {
    assertBlobKey(key)
    return Promise.resolve(undefined)
  }

  async delete(key: string): Promise<void> {
    assertBlobKey(key)
    const path = this.#path(key)
    try {
      await unlink(path)
      await this.#removeEmpty(dirname(path))
    } catch (error) {
      if (!isMissing(error)) throw unavailable('delete', error)
    }
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    assert(keys.length <= deleteManyKeysMax, 'the batch was cut before it came here')
    for (let i = 0; i < keys.length; i += deletesInFlightMax) {
      await Promise.all(keys.slice(i, i + deletesInFlightMax).map((key) => this.delete(key)))
    }
  }

  async list(options: ListOptions): Promise<BlobObjectInfo[]> {
    assertBlobPrefix(options.prefix)
    const limit = options.limit ?? listEntriesMax
    assert(limit >= 1 && limit <= listEntriesMax, 'the limit of a listing is 1 to listEntriesMax')
    const page: BlobObjectInfo[] = []
    try {
      for await (const key of this.#walk(options.prefix, options.after ?? '')) {
        const info = await this.head(key)
        if (info) page.push(info)
        if (page.length === limit) break
      }
      return page
    } catch (error) {
      throw error instanceof BlobStoreUnavailableError ? error : unavailable('list', error)
    }
  }

  async removeUnfinished(before: Date): Promise<number> {
    let removed = 0
    try {
      for (const name of await namesIn(this.#incoming)) {
        const path = join(this.#incoming, name)
        const info = await stat(path).catch(() => undefined)
        if (!info || info.mtime >= before) continue
        await unlink(path)
        removed++
      }
      return removed
    } catch (error) {
      throw unavailable('remove unfinished uploads', error)
    }
  }

  async check(): Promise<void> {
    const path = join(this.#incoming, randomBytes(16).toString('hex'))
    try {
      await mkdir(this.#incoming, { recursive: true })
      await using file = await open(path, 'wx')
      await file.writeFile('ok')
      await unlink(path)
    } catch (error) {
      throw unavailable('check', error)
    }
  }

  // oxlint-disable-next-line typescript/require-await -- Files are closed by those who read them.
  async [Symbol.asyncDispose](): Promise<void> {}

  async #write(path: string, body: Readable): Promise<number> {
    using sink = new FileSink(await this.#create(path), this.#buffers)
    for await (const chunk of body) await sink.write(chunk as Buffer)
    return await sink.end()
  }

  async #create(path: string): Promise<NewFile> {
    this.#isDirect ??= this.#probeDirect()
    const isDirect = await this.#isDirect
    const flags = newFileFlags | (isDirect ? constants.O_DIRECT : 0)
    try {
      return { fd: await openFile(path, flags), isDirect }
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    await mkdir(this.#incoming, { recursive: true })
    return { fd: await openFile(path, flags), isDirect }
  }

  /** Tells whether the file system takes writes past the page cache, which not all do. */
  async #probeDirect(): Promise<boolean> {
    if (constants.O_DIRECT === undefined) return false
    const path = join(this.#incoming, randomBytes(16).toString('hex'))
    try {
      await mkdir(this.#incoming, { recursive: true })
      await using file = await open(path, newFileFlags | constants.O_DIRECT)
      await this.#buffers.use((buffer) => file.write(buffer, 0, directBlockBytes, 0))
      return true
    } catch {
      return false
    } finally {
      await unlink(path).catch(() => undefined)
    }
  }

  /** A deletion may remove the directory, or one above, while it is made or before the file is moved there: then again. */
  async #place(from: string, to: string): Promise<void> {
    const shard = dirname(to)
    for (let attempt = 1; ; attempt++) {
      try {
        if (!this.#durable.has(shard)) await mkdir(shard, { recursive: true })
        await rename(from, to)
        break
      } catch (error) {
        if (!isMissing(error) || attempt === placeAttemptsMax) throw error
        this.#durable.delete(shard)
      }
    }
    await this.#syncNames(shard)
  }

  /** Makes the names in a directory durable, and its own and those of the directories above, which may be new too. */
  async #syncNames(directory: string): Promise<void> {
    if (this.#durable.size > knownDirectoriesMax) this.#durable.clear()
    let path = directory
    let identity = await syncDirectory(path)
    while (path !== this.#objects && this.#durable.get(path) !== identity) {
      const parent = dirname(path)
      const parentIdentity = await syncDirectory(parent)
      this.#durable.set(path, identity)
      path = parent
      identity = parentIdentity
    }
  }

  async #removeEmpty(directory: string): Promise<void> {
    for (let path = directory; path !== this.#objects; path = dirname(path)) {
      this.#durable.delete(path)
      try {
        await rmdir(path)
      } catch {
        return
      }
    }
  }

  async *#walk(prefix: string, after: string): AsyncGenerator<string> {
    const [onlyHost, onlyAccount] = prefix.split('/')
    for (const host of await namesIn(this.#objects, onlyHost)) {
      if (isBefore(`${host}/`, after)) continue
      for (const account of await namesIn(join(this.#objects, host), onlyAccount)) {
        const folder = `${host}/${account}/`
        if (isBefore(folder, after)) continue
        for (const shard of await namesIn(join(this.#objects, folder))) {
          if (isBefore(folder + shard, after)) continue
          for (const name of await namesIn(join(this.#objects, folder, shard))) {
            if (folder + name > after) yield folder + name
          }
        }
      }
    }
  }

  #path(key: string): string {
    const slash = key.lastIndexOf('/') + 1
    return join(this.#objects, key.slice(0, slash), key.slice(slash, slash + 2), key.slice(slash))
  }
}

/** Returns a stream of so many bytes of a file, which closes it; told its last byte, it does not read for the end. */
async function openBody(file: FileHandle, part: { start: number; length: number }): Promise<Readable> {
  const { start, length } = part
  if (length > 0)
    return file.createReadStream({ start, end: start + length - 1, highWaterMark: fileReadBytes })
  await file.close()
  return Readable.from([])
}

/** Tells whether every key with this prefix sorts below the cursor. */
function isBefore(prefix: string, after: string): boolean {
  return prefix < after.slice(0, prefix.length)
}

/** Returns the sorted names in a directory: only one of them if that is asked for, none if it is not there. */
async function namesIn(path: string, only = ''): Promise<string[]> {
  if (only !== '') return [only]
  try {
    const names = await readdir(path)
    return names.sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/**
 * Makes the names in a directory durable and tells it from any other that had or gets its path; a deletion may have
 * removed it, and what was new in it.
 */
async function syncDirectory(path: string): Promise<string> {
  let fd: number
  try {
    fd = await openFile(path, 'r')
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
  try {
    await sync(fd)
    const { ino, birthtimeMs } = fstatSync(fd)
    return `${ino} ${birthtimeMs}`
  } finally {
    closeSync(fd)
  }
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ENOENT' || error.code === 'ENOTDIR'
}

function unavailable(operation: string, cause: unknown): BlobStoreUnavailableError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new BlobStoreUnavailableError(`disk store cannot ${operation}: ${reason}`, { cause })
}
