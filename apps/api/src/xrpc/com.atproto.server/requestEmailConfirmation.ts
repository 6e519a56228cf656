import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccountMailDeps, localeOf, mailToken } from '../../accounts/account-mail.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.requestEmailConfirmation: mails the token that confirmEmail takes. */
export function requestEmailConfirmation(deps: AccessDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestEmailConfirmation',
    auth: fullAccessAuth(deps),
    handler: ({ auth, request }: XrpcCall<unknown, unknown, AccessAuth>) =>
      mailToken(deps, auth.account, 'confirm-email', localeOf(request)),
  })
}
