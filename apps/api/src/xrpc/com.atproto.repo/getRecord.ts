import { type AnyXrpcMethod, RawAnswer, type XrpcCall, defineMethod } from '@rookery/http'

import type { OptionalAuth } from '../../auth/access.ts'
import { readAuth, sendRepoRev } from './read-auth.ts'
import type { RecordReadDeps } from './repo-deps.ts'

type Params = { repo: string; collection: string; rkey: string; cid?: string }

/** com.atproto.repo.getRecord: one record of a repo of this host. */
export function getRecord(deps: RecordReadDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.repo.getRecord',
    auth: readAuth(deps),
    handler: async ({ host, params, auth, reply }: XrpcCall<Params, unknown, OptionalAuth>) => {
      await sendRepoRev(deps, reply, auth)
      const json = await deps.records.getRecord({ hostId: host.id, ...params })
      return new RawAnswer('application/json; charset=utf-8', json)
    },
  })
}
