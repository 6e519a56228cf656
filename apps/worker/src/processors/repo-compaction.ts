import type { Database } from '@rookery/db'
import type { JobProcessor } from '@rookery/jobs'
import { compactRepo } from '@rookery/records'

/** Rewrites a repo's packs into a base; writes go on meanwhile. */
export function repoCompaction(deps: { pool: Database['pool'] }): JobProcessor<'repo-compaction'> {
  return async ({ payload, log }) => {
    const baseBytes = await compactRepo(deps.pool, payload.accountId)
    log.info({ account: payload.accountId, baseBytes }, 'repo compacted')
  }
}
