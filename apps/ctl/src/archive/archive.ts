import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

/** Where the parts of an account's archive lie in its directory. */
export const archiveFiles = {
  /** Written last: an archive without it is not complete. */
  account: 'account.json',
  repo: 'repo.car',
  preferences: 'preferences.json',
  /** A directory with a file for each blob, named by its CID. */
  blobs: 'blobs',
} as const

/** What an archive says of its account: no password, no key, no token. */
const archivedAccount = z.object({
  version: z.literal(1),
  did: z.string(),
  handle: z.string().nullable(),
  email: z.string().nullable(),
  host: z.string(),
  tenant: z.string(),
  status: z.enum(['active', 'deactivated', 'suspended', 'takendown']),
  createdAt: z.string(),
  exportedAt: z.string(),
  blobs: z.array(z.object({ cid: z.string(), mimeType: z.string(), size: z.number() })),
})
export type ArchivedAccount = z.infer<typeof archivedAccount>

/** Returns what the archive in a directory says of its account, or undefined if there is no complete one. */
export async function findArchive(directory: string): Promise<ArchivedAccount | undefined> {
  try {
    return archivedAccount.parse(JSON.parse(await readFile(join(directory, archiveFiles.account), 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`${directory} holds no archive that this version reads`, { cause: error })
  }
}

/** Returns the name of an account's directory: that of the DID, without what file systems do not take. */
export function archiveName(did: string): string {
  return did.replaceAll(':', '_').replaceAll('%', '_')
}
