import { listAppPasswords as list } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.listAppPasswords: names of the account's app passwords; not for apps to see. */
export function listAppPasswords(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.listAppPasswords',
    auth: fullAccessAuth(deps),
    handler: async ({ auth }: XrpcCall<unknown, unknown, AccessAuth>) => {
      const passwords = await list(deps, auth.account.id)
      return { passwords: passwords.map((each) => ({ ...each, createdAt: each.createdAt.toISOString() })) }
    },
  })
}
