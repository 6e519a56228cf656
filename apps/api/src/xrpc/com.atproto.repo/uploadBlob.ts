import type { Readable } from 'node:stream'

import type { BlobStore } from '@rookery/blobs'
import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { type BlobRules, uploadBlob as storeUpload } from '@rookery/records'
import { must } from '@rookery/std'
import { cidToString } from '@rookery/syntax'
import { type HostDirectory, uploadBytesMaxOf, uploadRulesOf } from '@rookery/tenants'

import { type AccountAuth, accessOrServiceAuth } from '../../auth/access-or-service.ts'
import type { AccessDeps } from '../../auth/access.ts'
import type { ServiceAuthDeps } from '../../auth/service.ts'
import { assertAllowed } from '../../auth/oauth.ts'
import { announcedLength, leaveBody } from '../streamed-body.ts'

type UploadBlobDeps = AccessDeps &
  ServiceAuthDeps & {
    blobs: BlobStore
    directory: Pick<HostDirectory, 'findTenant'>
    uploadBytesMax: number
  }

/** com.atproto.repo.uploadBlob: stores bytes, which stay private until a record refers to them. */
export function uploadBlob(deps: UploadBlobDeps): AnyXrpcMethod {
  const nsid = 'com.atproto.repo.uploadBlob'
  return defineMethod<unknown, Readable, object, AccountAuth>({
    nsid,
    auth: accessOrServiceAuth(deps, nsid),
    handler: async ({ host, input, auth, request, reply }) => {
      const blobDeps = { pool: deps.db.pool, store: deps.blobs }
      const { settings } = must(await deps.directory.findTenant(auth.account.tenant_id))
      try {
        const { cid, mimeType, size } = await storeUpload(blobDeps, {
          hostId: host.id,
          accountId: auth.account.id,
          body: input,
          mimeType: request.headers['content-type'],
          length: announcedLength(request, input),
          bytesMax: uploadBytesMaxOf(settings, deps.uploadBytesMax),
          rules: { ...uploadRulesOf(settings), ...permittedTypes(auth) },
        })
        return { blob: { $type: 'blob', ref: { $link: cidToString(cid) }, mimeType, size } }
      } catch (error) {
        leaveBody(reply, input)
        throw error
      }
    },
  })
}

/** An app uploads what it was allowed to, whatever it says that its bytes are (SPEC SC-6). */
function permittedTypes({ permissions }: AccountAuth): Pick<BlobRules, 'assertType'> {
  if (permissions === undefined) return {}
  return { assertType: (mime) => assertAllowed(() => permissions.assertBlob({ mime })) }
}
