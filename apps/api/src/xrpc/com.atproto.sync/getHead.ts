import { type AnyXrpcMethod, defineMethod, invalidRequest } from '@rookery/http'
import { RepoNotFoundError, getServableRepo } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { readOptions } from './read-options.ts'

/** com.atproto.sync.getHead: the CID of a repo's head; deprecated, but old clients call it. */
export function getHead(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod<{ did: string }, undefined, { root: string }, OptionalAuth>({
    nsid: 'com.atproto.sync.getHead',
    auth: optionalAuth(deps),
    handler: async ({ host, params: { did }, auth }) => {
      try {
        const { head } = await getServableRepo(deps.db.pool, { hostId: host.id, did }, readOptions(auth, did))
        return { root: cidToString(head) }
      } catch (error) {
        if (!(error instanceof RepoNotFoundError)) throw error
        throw invalidRequest(`Could not find root for DID: ${did}`, 'HeadNotFound')
      }
    },
  })
}
