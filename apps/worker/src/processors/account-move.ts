import { createSafeFetch } from '@rookery/http'
import type { JobProcessor } from '@rookery/jobs'
import {
  type FetchAccountDeps,
  fetchAccount,
  oldServerAnswerBytesMax,
  oldServerTimeoutMs,
  oldServerTransferMsMax,
} from '@rookery/moves'
import type { ImportDeps } from '@rookery/records'
import { must } from '@rookery/std'
import { uploadBytesMaxOf, uploadRulesOf } from '@rookery/tenants'

import type { WorkerDeps } from '../deps.ts'

type Deps = Pick<WorkerDeps, 'config' | 'db' | 'store' | 'directory' | 'wrapper'> & { imports: ImportDeps }

/** Fetches what an account that moves here has at its old server. */
export function accountMove(deps: Deps): JobProcessor<'account-move'> {
  const { config, directory } = deps
  const guard = { to: 'old-server', allowPrivateNetwork: config.identity.allowPrivateNetwork } as const
  const responseBytesMax = Math.max(config.repo.importBytesMax, config.blobs.uploadBytesMax)
  const fetchDeps: FetchAccountDeps = {
    ...deps,
    fetch: createSafeFetch({
      ...guard,
      timeoutMs: oldServerTimeoutMs,
      responseBytesMax: oldServerAnswerBytesMax,
    }),
    transfer: createSafeFetch({ ...guard, timeoutMs: oldServerTransferMsMax, responseBytesMax }),
    rulesOf: async ({ tenant_id }) => {
      const { settings } = must(await directory.findTenant(tenant_id))
      return {
        bytesMax: uploadBytesMaxOf(settings, config.blobs.uploadBytesMax),
        // The records say which bytes they are: nothing can be taken out of them.
        rules: { ...uploadRulesOf(settings), location: 'allow' },
      }
    },
  }
  return ({ payload, attempt, signal, log }) => fetchAccount(fetchDeps, { payload, attempt, signal, log })
}
