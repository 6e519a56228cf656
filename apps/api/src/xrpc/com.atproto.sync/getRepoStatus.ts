import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { type RepoStatus, getRepoStatus as findStatus } from '@rookery/records'

import { unauthenticated } from '../../auth/unauthenticated.ts'

/** com.atproto.sync.getRepoStatus: whether a repo is active, and why not; answered of any that was ever here. */
export function getRepoStatus(deps: { db: Pick<Database, 'pool'> }): AnyXrpcMethod {
  return defineMethod<{ did: string }, undefined, RepoStatus, null>({
    nsid: 'com.atproto.sync.getRepoStatus',
    auth: unauthenticated,
    handler: ({ host, params: { did } }) => findStatus(deps.db.pool, { hostId: host.id, did }),
  })
}
