import type { JobProcessor } from '@rookery/jobs'
import { type BlobDeps, collectBlobs, collectOrphanObjects } from '@rookery/records'

/** Deletes bytes that nobody needs, step by step until none are left; each step may be repeated. */
export function blobGc(deps: BlobDeps): JobProcessor<'blob-gc'> {
  return async ({ payload, signal, log }) => {
    const deleted =
      payload.of === 'orphans' ? await collectOrphans(deps, signal) : await collect(deps, signal)
    if (deleted > 0) log.info({ deleted, of: payload.of }, 'blobs collected')
  }
}

async function collect(deps: BlobDeps, signal: AbortSignal): Promise<number> {
  let deleted = 0
  for (;;) {
    signal.throwIfAborted()
    const step = await collectBlobs(deps)
    deleted += step.deleted
    if (step.isDone) return deleted
  }
}

async function collectOrphans(deps: BlobDeps, signal: AbortSignal): Promise<number> {
  let deleted = 0
  let cursor: string | undefined
  do {
    signal.throwIfAborted()
    const step = await collectOrphanObjects(deps, { cursor })
    deleted += step.deleted
    cursor = step.cursor
  } while (cursor !== undefined)
  return deleted
}
