import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { assertPlcDid } from '@rookery/identity'
import { requestTokenMail } from '@rookery/mail'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.identity.requestPlcOperationSignature: mails the token that signPlcOperation takes. */
export function requestPlcOperationSignature(deps: AccessDeps & { wakeWorkers: () => void }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.requestPlcOperationSignature',
    auth: fullAccessAuth(deps, { allowTakendown: true }),
    handler: async ({ auth }: XrpcCall<unknown, unknown, AccessAuth>) => {
      assertPlcDid(auth.account.did)
      await requestTokenMail(deps.db.pool, auth.account, 'plc-operation')
      deps.wakeWorkers()
    },
  })
}
