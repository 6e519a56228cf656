import { parseEmail, setEmail } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccountMailDeps, announcer } from '../../accounts/account-mail.ts'
import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, getNamedAccount } from './admin-deps.ts'

/** com.atproto.admin.updateAccountEmail: another address, to be confirmed anew. */
export function updateAccountEmail(deps: AdminDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.updateAccountEmail',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<unknown, { account: string; email: string }, Operator>) => {
      const account = await getNamedAccount(deps, call, call.input.account)
      const announce = announcer(deps, 'email-changed')
      await setEmail({ ...deps, announce }, account.id, parseEmail(call.input.email))
      deps.wakeWorkers()
    },
  })
}
