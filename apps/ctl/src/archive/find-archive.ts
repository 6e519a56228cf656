import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

import { type ArchivedAccount, archiveFiles, extractArchive, parseArchivedAccount } from '@rookery/archives'

/** An archive as a directory. Disposing of it removes what was unpacked for it. */
export type OpenArchive = AsyncDisposable & { directory: string }

/** Returns the directory of an archive; one that is a file is unpacked beside it first. */
export async function openArchive(path: string): Promise<OpenArchive> {
  if ((await stat(path)).isDirectory()) return { directory: path, [Symbol.asyncDispose]: async () => {} }
  const file = resolve(path)
  const directory = await mkdtemp(join(dirname(file), `${basename(file)}-`))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    await extractArchive(createReadStream(file), directory)
  } catch (error) {
    await remove()
    throw error
  }
  return { directory, [Symbol.asyncDispose]: remove }
}

/** Returns what the archive in a directory says of its account, or undefined if there is no complete one. */
export async function findArchive(directory: string): Promise<ArchivedAccount | undefined> {
  try {
    return parseArchivedAccount(await readFile(join(directory, archiveFiles.account), 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`${directory} holds no archive that this version reads`, { cause: error })
  }
}
