import { type PasswordHasher, setPassword } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccountMailDeps, announcer } from '../../accounts/account-mail.ts'
import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, getNamedAccount } from './admin-deps.ts'

/** com.atproto.admin.updateAccountPassword: another password; every session of the account ends. */
export function updateAccountPassword(
  deps: AdminDeps & AccountMailDeps & { passwords: PasswordHasher },
): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.updateAccountPassword',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<unknown, { did: string; password: string }, Operator>) => {
      const account = await getNamedAccount(deps, call, call.input.did)
      const announce = announcer(deps, 'password-changed')
      await setPassword({ ...deps, announce }, account.id, call.input.password)
      deps.wakeWorkers()
    },
  })
}
