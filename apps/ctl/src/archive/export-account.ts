import { createWriteStream } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import type { Account } from '@rookery/accounts'
import { type ArchiveDeps, type ArchivedAccount, archiveEntries, archiveFiles } from '@rookery/archives'

/**
 * Writes an account's archive into a directory: repo, preferences, the blobs that may be served, and what the account
 * is. Everything streams. The archive counts once it is complete; what an earlier call left is written over.
 */
export async function exportAccount(
  deps: ArchiveDeps,
  account: Account,
  to: { directory: string; host: string; tenant: string },
): Promise<ArchivedAccount> {
  const { directory, host, tenant } = to
  await mkdir(join(directory, archiveFiles.blobs), { recursive: true })
  const entries = archiveEntries(deps, { account, host, tenant })
  for (;;) {
    const next = await entries.next()
    if (next.done === true) return next.value
    const { name, body } = next.value
    const file = join(directory, name)
    await pipeline(body, createWriteStream(`${file}.part`))
    await rename(`${file}.part`, file)
  }
}
