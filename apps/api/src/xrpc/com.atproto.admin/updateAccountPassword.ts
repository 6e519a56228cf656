import { type PasswordHasher, setPassword } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'
import { type AdminDeps, getNamedAccount } from './admin-deps.ts'

/** com.atproto.admin.updateAccountPassword: another password; every session of the account ends. */
export function updateAccountPassword(deps: AdminDeps & { passwords: PasswordHasher }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.updateAccountPassword',
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, input }: XrpcCall<unknown, { did: string; password: string }, AdminAuth>) => {
      const account = await getNamedAccount(deps, host, input.did)
      await setPassword(deps, account.id, input.password)
    },
  })
}
