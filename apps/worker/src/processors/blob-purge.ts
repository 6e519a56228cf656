import type { JobProcessor } from '@rookery/jobs'
import { type BlobDeps, eraseBlob } from '@rookery/records'
import { parseCid } from '@rookery/syntax'

/** Deletes the object of a blob that a moderator purged. */
export function blobPurge(deps: BlobDeps): JobProcessor<'blob-purge'> {
  return async ({ payload: { accountId, cid }, log }) => {
    await eraseBlob(deps, { accountId, cid: parseCid(cid) })
    log.info({ cid }, 'blob purged')
  }
}
