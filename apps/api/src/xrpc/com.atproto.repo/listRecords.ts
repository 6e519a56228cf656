import { type AnyXrpcMethod, RawAnswer, type XrpcCall, defineMethod, jsonType } from '@rookery/http'

import type { OptionalAuth } from '../../auth/access.ts'
import { readAuth, sendRepoRev } from './read-auth.ts'
import type { RecordReadDeps } from './repo-deps.ts'

type Params = {
  repo: string
  collection: string
  limit: number
  cursor?: string
  reverse?: boolean
}

/** com.atproto.repo.listRecords: a page of a collection of a repo of this host. */
export function listRecords(deps: RecordReadDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.repo.listRecords',
    auth: readAuth(deps),
    handler: async ({ host, params, auth, reply }: XrpcCall<Params, unknown, OptionalAuth>) => {
      await sendRepoRev(deps, reply, auth)
      const { reverse = false } = params
      const json = await deps.records.listRecords({ hostId: host.id, ...params, reverse })
      return new RawAnswer(jsonType, json)
    },
  })
}
