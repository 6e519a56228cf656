import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { extract } from 'tar-stream'

import { InvalidArchiveError } from '../errors.ts'
import { archiveFiles } from '../format/archive-files.ts'

const { blobs, ...plain } = archiveFiles
const names = new Set<string>(Object.values(plain))
const blobName = new RegExp(`^${blobs}/[0-9A-Za-z]{8,128}$`)

/**
 * Writes the files of an archive into a directory, which is made; what lies there under their names is written over.
 *
 * @throws {InvalidArchiveError} if it holds anything else than an archive does, or is cut short.
 */
export async function extractArchive(tar: Readable, directory: string): Promise<void> {
  await mkdir(join(directory, blobs), { recursive: true })
  const entries = extract()
  const fed = pipeline(tar, entries).catch((error: unknown) => entries.destroy(error as Error))
  const seen = new Set<string>()
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header
      if (type !== 'file' || !(names.has(name) || blobName.test(name)))
        throw new InvalidArchiveError(`An archive holds no ${name.slice(0, 200)}`)
      const file = join(directory, name)
      await mkdir(dirname(file), { recursive: true })
      await pipeline(Readable.from(entry, { objectMode: false }), createWriteStream(file))
      if (names.has(name)) seen.add(name)
    }
  } catch (error) {
    if (error instanceof InvalidArchiveError) throw error
    throw new InvalidArchiveError('This is no archive, or a damaged one', { cause: error })
  } finally {
    await fed
  }
  if (!seen.has(archiveFiles.account)) throw new InvalidArchiveError('The archive is cut short')
}
