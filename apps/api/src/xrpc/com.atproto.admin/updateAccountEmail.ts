import { parseEmail, setEmail } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'
import { type AdminDeps, getNamedAccount } from './admin-deps.ts'

/** com.atproto.admin.updateAccountEmail: another address, to be confirmed anew. */
export function updateAccountEmail(deps: AdminDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.updateAccountEmail',
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, input }: XrpcCall<unknown, { account: string; email: string }, AdminAuth>) => {
      const account = await getNamedAccount(deps, host, input.account)
      await setEmail(deps, account.id, parseEmail(input.email))
    },
  })
}
