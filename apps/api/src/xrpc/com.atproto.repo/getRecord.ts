import {
  type AnyXrpcMethod,
  type PdsHost,
  RawAnswer,
  type XrpcCall,
  defineMethod,
  jsonType,
} from '@rookery/http'
import { RepoNotFoundError } from '@rookery/records'

import type { OptionalAuth } from '../../auth/access.ts'
import { forwardPublicly } from '../../proxy/forward.ts'
import { type Service, findAppView } from '../../proxy/services.ts'
import { readAuth, sendRepoRev } from './read-auth.ts'
import type { GetRecordDeps } from './repo-deps.ts'

type Params = { repo: string; collection: string; rkey: string; cid?: string }

/**
 * com.atproto.repo.getRecord: one record of a repo of this host. Records of other repos are asked for at the AppView, if
 * there is one.
 */
export function getRecord(deps: GetRecordDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.repo.getRecord',
    auth: readAuth(deps),
    handler: async (call: XrpcCall<Params, unknown, OptionalAuth>) => {
      const { host, params, auth, reply } = call
      await sendRepoRev(deps, reply, auth)
      try {
        const json = await deps.records.getRecord({ hostId: host.id, ...params })
        return new RawAnswer(jsonType, json)
      } catch (error) {
        const appView = error instanceof RepoNotFoundError ? await appViewOf(deps, host, auth) : undefined
        if (appView === undefined) throw error
        return forwardPublicly(deps, call, appView)
      }
    },
  })
}

/** The caller's tenant decides, or whose host it is. */
async function appViewOf(
  deps: GetRecordDeps,
  host: PdsHost,
  auth: OptionalAuth,
): Promise<Service | undefined> {
  if (auth.type === 'access') return findAppView(deps, auth.account.tenant_id)
  const found = await deps.directory.findHostById(host.id)
  return found && findAppView(deps, found.defaultTenantId)
}
