import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { assertPlcDid } from '@rookery/identity'

import { type AccountMailDeps, localeOf, mailToken } from '../../accounts/account-mail.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.identity.requestPlcOperationSignature: mails the token that signPlcOperation takes. */
export function requestPlcOperationSignature(deps: AccessDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.requestPlcOperationSignature',
    auth: fullAccessAuth(deps, { allowTakendown: true }),
    handler: async ({ auth, request }: XrpcCall<unknown, unknown, AccessAuth>) => {
      assertPlcDid(auth.account.did)
      await mailToken(deps, auth.account, 'plc-operation', localeOf(request))
    },
  })
}
