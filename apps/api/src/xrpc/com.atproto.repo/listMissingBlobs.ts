import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { listMissingBlobs as listPage } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'
import { cidCursor } from '../cid-cursor.ts'

/** com.atproto.repo.listMissingBlobs: what a migrating account has still to upload. */
export function listMissingBlobs(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod<{ limit: number; cursor?: string }, undefined, object, AccessAuth>({
    nsid: 'com.atproto.repo.listMissingBlobs',
    auth: accessAuth(deps),
    handler: async ({ params: { limit, cursor }, auth: { account } }) => {
      const page = await listPage(deps.db.pool, account.id, { limit, cursor: cidCursor(cursor) })
      const blobs = page.map(({ cid, collection, rkey }) => ({
        cid: cidToString(cid),
        recordUri: `at://${account.did}/${collection}/${rkey}`,
      }))
      return blobs.length < limit ? { blobs } : { cursor: blobs.at(-1)?.cid, blobs }
    },
  })
}
