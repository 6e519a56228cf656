import { parseOwnEmail, updateEmail as update } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type AccountMailDeps, announcer, localeOf } from '../../accounts/account-mail.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

type Input = { email: string; token?: string; emailAuthFactor?: boolean }

/** com.atproto.server.updateEmail: gives the account another address. */
export function updateEmail(deps: AccessDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.updateEmail',
    auth: fullAccessAuth(deps),
    handler: async ({ input, auth, request }: XrpcCall<unknown, Input, AccessAuth>) => {
      const { email, token, emailAuthFactor } = input
      // To take the wish and not keep it would leave an account less safe than its owner thinks.
      if (emailAuthFactor === true) throw invalidRequest('A second factor by email is not supported here')
      const announce = announcer(deps, 'email-changed', localeOf(request))
      await update({ ...deps, announce }, auth.account.id, { email: parseOwnEmail(email), token })
      deps.wakeWorkers()
    },
  })
}
