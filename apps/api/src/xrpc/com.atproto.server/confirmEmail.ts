import { confirmEmail as confirm } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, XrpcError, defineMethod } from '@rookery/http'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

type Input = { email: string; token: string }

/** com.atproto.server.confirmEmail: confirms the account's address with the token that was mailed to it. */
export function confirmEmail(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.confirmEmail',
    auth: fullAccessAuth(deps),
    handler: async ({ input, auth: { account } }: XrpcCall<unknown, Input, AccessAuth>) => {
      const email = input.email.trim().toLowerCase()
      if (account.email !== email) throw new XrpcError(400, 'InvalidEmail', 'invalid email')
      await confirm(deps, { id: account.id, email }, input.token)
    },
  })
}
