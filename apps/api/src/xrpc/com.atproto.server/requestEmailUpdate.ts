import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccountMailDeps, localeOf, mailToken } from '../../accounts/account-mail.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.requestEmailUpdate: tells whether updateEmail wants a token, and mails it if so. */
export function requestEmailUpdate(deps: AccessDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestEmailUpdate',
    auth: fullAccessAuth(deps),
    handler: async ({ auth: { account }, request }: XrpcCall<unknown, unknown, AccessAuth>) => {
      const tokenRequired = account.email_confirmed_at !== null
      if (tokenRequired) await mailToken(deps, account, 'update-email', localeOf(request))
      return { tokenRequired }
    },
  })
}
