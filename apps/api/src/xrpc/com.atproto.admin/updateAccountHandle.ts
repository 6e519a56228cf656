import { UnsupportedDomainError } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { parseHandle } from '@rookery/syntax'

import { type GiveHandleDeps, giveHandle } from '../../accounts/give-handle.ts'
import { type HandleDeps, assertHandleNames } from '../../accounts/handles.ts'
import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, getNamedAccount } from './admin-deps.ts'

/**
 * com.atproto.admin.updateAccountHandle: another handle. Under the tenant's domains the operator may give names that
 * are reserved, short or long; one of elsewhere has to name the account, as ever.
 */
export function updateAccountHandle(deps: AdminDeps & HandleDeps & GiveHandleDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.updateAccountHandle',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<unknown, { did: string; handle: string }, Operator>) => {
      const handle = parseHandle(call.input.handle)
      const account = await getNamedAccount(deps, call, call.input.did)
      const domain = deps.directory.findHandleDomain(handle)
      if (domain === undefined) await assertHandleNames(deps, handle, account.did)
      else if (domain.hostId !== call.host.id || domain.tenantId !== account.tenant_id) {
        throw new UnsupportedDomainError('Not a supported handle domain')
      }
      await giveHandle(deps, account, handle)
    },
  })
}
