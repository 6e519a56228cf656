import { type AnyXrpcMethod, RawAnswer, defineMethod } from '@rookery/http'
import { getRecordProof } from '@rookery/records'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { carType, readOptions } from './read-options.ts'

/** com.atproto.sync.getRecord: the proof of a record, or that there is none. */
export function getRecord(deps: AccessDeps): AnyXrpcMethod {
  type Params = { did: string; collection: string; rkey: string }
  return defineMethod<Params, undefined, RawAnswer, OptionalAuth>({
    nsid: 'com.atproto.sync.getRecord',
    auth: optionalAuth(deps),
    handler: async ({ host, params, auth }) => {
      const record = { ...params, hostId: host.id }
      return new RawAnswer(carType, await getRecordProof(deps.db.pool, record, readOptions(auth, params.did)))
    },
  })
}
