import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { listRepos as listPage } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import { unauthenticated } from '../../auth/unauthenticated.ts'

/** com.atproto.sync.listRepos: the host's repos with their heads, those that are not active too. */
export function listRepos(deps: { db: Pick<Database, 'pool'> }): AnyXrpcMethod {
  return defineMethod<{ limit: number; cursor?: string }, undefined, object, null>({
    nsid: 'com.atproto.sync.listRepos',
    auth: unauthenticated,
    handler: async ({ host, params }) => {
      const { repos, cursor } = await listPage(deps.db.pool, { hostId: host.id, ...params })
      return {
        ...(cursor === undefined ? {} : { cursor }),
        repos: repos.map((repo) => ({ ...repo, head: cidToString(repo.head) })),
      }
    },
  })
}
