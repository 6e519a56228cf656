import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { listBlobs as listPage } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { cidCursor } from '../cid-cursor.ts'
import { getReadableAccount } from '../readable-account.ts'

/** com.atproto.sync.listBlobs: the blobs that an account's records refer to. */
export function listBlobs(deps: AccessDeps): AnyXrpcMethod {
  type Params = { did: string; since?: string; limit: number; cursor?: string }
  return defineMethod<Params, undefined, object, OptionalAuth>({
    nsid: 'com.atproto.sync.listBlobs',
    auth: optionalAuth(deps),
    handler: async ({ host, params: { did, since, limit, cursor }, auth }) => {
      const account = await getReadableAccount(deps.db.pool, { hostId: host.id, did }, auth)
      const page = await listPage(deps.db.pool, account.id, { limit, since, cursor: cidCursor(cursor) })
      const cids = page.map((cid) => cidToString(cid))
      return cids.length < limit ? { cids } : { cursor: cids.at(-1), cids }
    },
  })
}
