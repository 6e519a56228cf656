import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccountMailDeps, localeOf, mailToken } from '../../accounts/account-mail.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.requestAccountDelete: mails the token with which the account can be deleted. */
export function requestAccountDelete(deps: AccessDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestAccountDelete',
    auth: fullAccessAuth(deps),
    handler: ({ auth, request }: XrpcCall<unknown, unknown, AccessAuth>) =>
      mailToken(deps, auth.account, 'delete-account', localeOf(request)),
  })
}
