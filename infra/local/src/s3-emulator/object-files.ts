import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { S3Error } from './s3-error.ts'

/** An object as its bucket knows it. */
export type StoredObject = {
  key: string
  /** Name of the file with the bytes. */
  file: string
  size: number
  /** Without its quotes. */
  etag: string
  contentType: string
  modifiedMs: number
}

/** A multipart upload that is neither completed nor aborted. */
export type StoredUpload = {
  uploadId: string
  key: string
  contentType: string
  initiatedMs: number
  parts: Map<number, { size: number; etag: string }>
}

/**
 * One bucket in a directory: `data/` holds the bytes, `meta/` one JSON file per object that points to them, and
 * `uploads/<id>/` the parts of an upload. The index is in memory and read again at start. An object is replaced by
 * renaming its meta file, so whoever reads the old one is not disturbed.
 */
export class ObjectFiles {
  readonly #dir: string
  readonly #objects = new Map<string, StoredObject>()
  readonly #uploads = new Map<string, StoredUpload>()
  #sortedKeys: string[] | undefined

  private constructor(dir: string) {
    this.#dir = dir
  }

  static async open(dir: string): Promise<ObjectFiles> {
    const files = new ObjectFiles(dir)
    for (const name of ['data', 'meta', 'uploads']) await mkdir(join(dir, name), { recursive: true })
    await files.#load()
    return files
  }

  get isEmpty(): boolean {
    return this.#objects.size === 0
  }

  find(key: string): StoredObject | undefined {
    return this.#objects.get(key)
  }

  read(object: StoredObject, range: { start: number; end: number }): NodeJS.ReadableStream {
    return createReadStream(join(this.#dir, 'data', object.file), range)
  }

  async put(key: string, contentType: string, body: AsyncIterable<Buffer>): Promise<StoredObject> {
    const { file, size, etag } = await this.#write(body)
    return this.#commit({ key, file, size, etag, contentType, modifiedMs: Date.now() })
  }

  async delete(key: string): Promise<void> {
    const object = this.#objects.get(key)
    if (!object) return
    this.#objects.delete(key)
    this.#sortedKeys = undefined
    await rm(this.#metaPath(key), { force: true })
    await rm(join(this.#dir, 'data', object.file), { force: true })
  }

  /** Returns objects whose keys begin with the prefix and are above `after`, in ascending order of keys. */
  list(prefix: string, after: string, limit: number): StoredObject[] {
    this.#sortedKeys ??= Array.from(this.#objects.keys()).sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    const page: StoredObject[] = []
    for (const key of this.#sortedKeys) {
      if (page.length === limit) break
      const object = key.startsWith(prefix) && key > after ? this.#objects.get(key) : undefined
      if (object) page.push(object)
    }
    return page
  }

  uploads(): StoredUpload[] {
    return Array.from(this.#uploads.values())
  }

  async createUpload(key: string, contentType: string): Promise<StoredUpload> {
    const upload: StoredUpload = {
      uploadId: randomUUID().replaceAll('-', ''),
      key,
      contentType,
      initiatedMs: Date.now(),
      parts: new Map(),
    }
    await mkdir(this.#uploadDir(upload.uploadId))
    this.#uploads.set(upload.uploadId, upload)
    return upload
  }

  async putPart(uploadId: string, number: number, body: AsyncIterable<Buffer>): Promise<string> {
    const upload = this.#upload(uploadId)
    const { file, size, etag } = await this.#write(body)
    await rename(join(this.#dir, 'data', file), join(this.#uploadDir(uploadId), String(number)))
    upload.parts.set(number, { size, etag })
    return etag
  }

  async completeUpload(
    uploadId: string,
    parts: { number: number; etag: string }[],
    partBytesMin: number,
  ): Promise<StoredObject> {
    const upload = this.#upload(uploadId)
    for (const [index, part] of parts.entries()) {
      const stored = upload.parts.get(part.number)
      if (stored?.etag !== part.etag)
        throw new S3Error(400, 'InvalidPart', `No part ${part.number} with this ETag.`)
      if (stored.size < partBytesMin && index < parts.length - 1) {
        throw new S3Error(400, 'EntityTooSmall', `Part ${part.number} is smaller than a part may be.`)
      }
    }
    const dir = this.#uploadDir(uploadId)
    async function* joined(): AsyncGenerator<Buffer> {
      for (const part of parts) yield* createReadStream(join(dir, String(part.number)))
    }
    const { file, size } = await this.#write(joined())
    const digests = parts.map((part) => Buffer.from(part.etag, 'hex'))
    const etag = `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}`
    const { key, contentType } = upload
    const object = await this.#commit({ key, file, size, etag, contentType, modifiedMs: Date.now() })
    await this.abortUpload(uploadId)
    return object
  }

  async abortUpload(uploadId: string): Promise<void> {
    this.#upload(uploadId)
    this.#uploads.delete(uploadId)
    await rm(this.#uploadDir(uploadId), { recursive: true, force: true })
  }

  /** Removes the directory, which must hold no objects. */
  async destroy(): Promise<void> {
    for (const upload of this.uploads()) await this.abortUpload(upload.uploadId)
    for (const name of ['data', 'meta', 'uploads']) await rmdir(join(this.#dir, name))
    await rmdir(this.#dir)
  }

  async #write(body: AsyncIterable<Buffer>): Promise<{ file: string; size: number; etag: string }> {
    const file = randomUUID()
    const path = join(this.#dir, 'data', file)
    const md5 = createHash('md5')
    let size = 0
    try {
      await pipeline(
        body,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            md5.update(chunk)
            size += chunk.length
            yield chunk
          }
        },
        createWriteStream(path, { flags: 'wx' }),
      )
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    return { file, size, etag: md5.digest('hex') }
  }

  async #commit(object: StoredObject): Promise<StoredObject> {
    const replaced = this.#objects.get(object.key)
    const path = this.#metaPath(object.key)
    const temporary = `${path}.${object.file}`
    await writeFile(temporary, JSON.stringify(object))
    await rename(temporary, path)
    this.#objects.set(object.key, object)
    if (replaced) await rm(join(this.#dir, 'data', replaced.file), { force: true })
    else this.#sortedKeys = undefined
    return object
  }

  /** Reads the index and removes what a killed process left: bytes without an object, and uploads. */
  async #load(): Promise<void> {
    const known = new Set<string>()
    for (const name of await readdir(join(this.#dir, 'meta'))) {
      const path = join(this.#dir, 'meta', name)
      if (!name.endsWith('.json')) {
        await rm(path, { force: true })
        continue
      }
      const object: StoredObject = JSON.parse(await readFile(path, 'utf8'))
      this.#objects.set(object.key, object)
      known.add(object.file)
    }
    for (const name of await readdir(join(this.#dir, 'data'))) {
      if (!known.has(name)) await rm(join(this.#dir, 'data', name), { force: true })
    }
    for (const name of await readdir(join(this.#dir, 'uploads'))) {
      await rm(this.#uploadDir(name), { recursive: true, force: true })
    }
  }

  #upload(uploadId: string): StoredUpload {
    const upload = this.#uploads.get(uploadId)
    if (!upload) throw new S3Error(404, 'NoSuchUpload', 'The upload does not exist.')
    return upload
  }

  #uploadDir(uploadId: string): string {
    return join(this.#dir, 'uploads', uploadId)
  }

  #metaPath(key: string): string {
    return join(this.#dir, 'meta', `${createHash('sha256').update(key).digest('hex')}.json`)
  }
}
