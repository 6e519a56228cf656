import type { JobProcessors } from '@rookery/jobs'

import type { WorkerDeps } from '../deps.ts'
import { blobGc } from './blob-gc.ts'
import { crawlRequest } from './crawl-request.ts'
import { repoCompaction } from './repo-compaction.ts'

/** Returns the processor of every queue. */
export function buildProcessors(deps: WorkerDeps): JobProcessors {
  const { config, db, store, fetch } = deps
  const { allowPrivateNetwork } = config.identity
  return {
    'blob-gc': blobGc({ store, pool: db.pool }),
    'repo-compaction': repoCompaction({ pool: db.pool }),
    'crawl-request': crawlRequest({ db: db.kysely, fetch, allowPrivateNetwork }),
  }
}
