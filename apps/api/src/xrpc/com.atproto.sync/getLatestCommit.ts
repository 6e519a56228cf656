import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { getServableRepo } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { readOptions } from './read-options.ts'

/** com.atproto.sync.getLatestCommit: a repo's head. */
export function getLatestCommit(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod<{ did: string }, undefined, { cid: string; rev: string }, OptionalAuth>({
    nsid: 'com.atproto.sync.getLatestCommit',
    auth: optionalAuth(deps),
    handler: async ({ host, params: { did }, auth }) => {
      const { head, rev } = await getServableRepo(
        deps.db.pool,
        { hostId: host.id, did },
        readOptions(auth, did),
      )
      return { cid: cidToString(head), rev }
    },
  })
}
