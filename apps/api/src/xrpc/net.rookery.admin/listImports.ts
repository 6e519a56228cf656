import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { type JobRow, listJobsOf } from '@rookery/jobs'

import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, getNamedAccount } from '../com.atproto.admin/admin-deps.ts'

/** net.rookery.admin.listImports: the imports of an account that run or ended lately, and how far they are. */
export function listImports(deps: AdminDeps & { db: Pick<Database, 'pool'> }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'net.rookery.admin.listImports',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<{ account: string }, unknown, Operator>) => {
      const { id, did } = await getNamedAccount(deps, call, call.params.account)
      const jobs = await listJobsOf(deps.db.pool, { queue: 'repo-import', accountId: id })
      return { did, imports: jobs.map(view) }
    },
  })
}

function view({ state, attempts, progress, error, created_at, finished_at }: JobRow): object {
  return {
    // What refuses its input is done with it.
    state: state === 'done' && error !== null ? 'refused' : state,
    attempts,
    ...(progress !== null && { progress }),
    ...(error !== null && { error }),
    createdAt: created_at.toISOString(),
    ...(finished_at !== null && { finishedAt: finished_at.toISOString() }),
  }
}
