import { deleteExpiredTokens } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { type Schedule, addJob, dropOldResults } from '@rookery/jobs'
import { dropOldDeliveries } from '@rookery/mail'
import { deleteOldLexicons } from '@rookery/lexicon-resolver'
import { deleteExpiredMoves } from '@rookery/moves'
import { deleteExpiredOAuth } from '@rookery/oauth'
import { listGrownRepos } from '@rookery/records'

import type { WorkerDeps } from '../deps.ts'
import {
  blobGcEveryMs,
  cleanUpEveryMs,
  compactionScanEveryMs,
  compactionScanReposMax,
  exportGcEveryMs,
  orphanGcEveryMs,
} from '../limits.ts'
import { accountDeletions } from './account-deletions.ts'
import { crawlRequests } from './crawl-requests.ts'

/** Returns everything that the cluster does by the clock. */
export function buildSchedules(deps: Pick<WorkerDeps, 'config' | 'db'>): Schedule[] {
  return [
    {
      name: 'blob-gc',
      everyMs: blobGcEveryMs,
      run: async (tx) => {
        const payload = { of: 'unreferenced' as const }
        await addJob(tx, { queue: 'blob-gc', payload, dedupeKey: payload.of })
      },
    },
    {
      name: 'blob-gc-orphans',
      everyMs: orphanGcEveryMs,
      run: async (tx) => {
        const payload = { of: 'orphans' as const }
        await addJob(tx, { queue: 'blob-gc', payload, dedupeKey: payload.of })
      },
    },
    ...(['expired', 'orphans'] as const).map((of) => ({
      name: `account-export-gc-${of}`,
      everyMs: of === 'expired' ? exportGcEveryMs : orphanGcEveryMs,
      run: async (tx: Queryable) => {
        await addJob(tx, { queue: 'account-export-gc', payload: { of }, dedupeKey: of })
      },
    })),
    {
      name: 'compaction-scan',
      everyMs: compactionScanEveryMs,
      run: async (tx) => {
        for (const payload of await listGrownRepos(tx, compactionScanReposMax)) {
          await addJob(tx, { queue: 'repo-compaction', payload, dedupeKey: String(payload.accountId) })
        }
      },
    },
    {
      name: 'clean-up',
      everyMs: cleanUpEveryMs,
      run: async (tx) => {
        await deleteExpiredTokens(tx)
        await deleteExpiredOAuth(tx)
        await deleteExpiredMoves(tx)
        await dropOldResults(tx)
        await dropOldDeliveries(tx)
        await deleteOldLexicons(tx)
      },
    },
    accountDeletions(),
    crawlRequests({
      db: deps.db.kysely,
      relays: deps.config.crawl.relays,
      allowPrivateNetwork: deps.config.identity.allowPrivateNetwork,
    }),
  ]
}
