import { changeAccountStatus } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, findReachedAccount } from '../com.atproto.admin/admin-deps.ts'

export type SuspendAccountDeps = AdminDeps & { wakeSequencer: () => void }

type Input = { did: string; reason?: string }

/** net.rookery.admin.suspendAccount: nothing of the account is served and its sessions end. */
export function suspendAccount(deps: SuspendAccountDeps): AnyXrpcMethod {
  return changeSuspension(deps, 'net.rookery.admin.suspendAccount', true)
}

/** net.rookery.admin.unsuspendAccount: takes that back. */
export function unsuspendAccount(deps: SuspendAccountDeps): AnyXrpcMethod {
  return changeSuspension(deps, 'net.rookery.admin.unsuspendAccount', false)
}

function changeSuspension(deps: SuspendAccountDeps, nsid: string, suspended: boolean): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<unknown, Input, Operator>) => {
      const account = await findReachedAccount(deps, call, call.input.did)
      if (account === undefined) throw invalidRequest('Account not found', 'NotFound')
      await changeAccountStatus(deps, account.id, { suspended })
      deps.wakeSequencer()
    },
  })
}
