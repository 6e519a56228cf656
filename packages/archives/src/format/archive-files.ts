import { z } from 'zod'

/** Where the parts of an account's archive lie in it. */
export const archiveFiles = {
  /** Written last: an archive without it is not complete. */
  account: 'account.json',
  repo: 'repo.car',
  preferences: 'preferences.json',
  /** Says what the other files are. */
  readme: 'README.txt',
  /** A directory with a file for each blob, named by its CID. */
  blobs: 'blobs',
} as const

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
  /** The repo as it was: CID of its signed commit, rev, and size of the file. */
  repo: z.object({ head: z.string(), rev: z.string(), size: z.number() }).optional(),
  blobs: z.array(z.object({ cid: z.string(), mimeType: z.string(), size: z.number() })),
})

/** What an archive says of its account: no password, no key, no token. */
export type ArchivedAccount = z.infer<typeof archivedAccount>

/** Returns what the text of `account.json` says; throws what zod and `JSON.parse` do if it is none. */
export function parseArchivedAccount(text: string): ArchivedAccount {
  return archivedAccount.parse(JSON.parse(text))
}

/** Returns the name of an account's archive: that of the DID, without what file systems do not take. */
export function archiveName(did: string): string {
  return did.replaceAll(':', '_').replaceAll('%', '_')
}
