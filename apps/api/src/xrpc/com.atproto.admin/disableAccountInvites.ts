import { updateInvitesDisabled } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, getNamedAccount } from './admin-deps.ts'

type Input = { account: string; note?: string }

/** com.atproto.admin.disableAccountInvites: the account gets no invite codes any more. */
export function disableAccountInvites(deps: AdminDeps): AnyXrpcMethod {
  return accountInvites(deps, 'com.atproto.admin.disableAccountInvites', true)
}

/** com.atproto.admin.enableAccountInvites: takes that back. */
export function enableAccountInvites(deps: AdminDeps): AnyXrpcMethod {
  return accountInvites(deps, 'com.atproto.admin.enableAccountInvites', false)
}

function accountInvites(deps: AdminDeps, nsid: string, isDisabled: boolean): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async (call: XrpcCall<unknown, Input, Operator>) => {
      const account = await getNamedAccount(deps, call, call.input.account)
      await updateInvitesDisabled(deps.db.pool, account.id, { isDisabled, note: call.input.note ?? null })
    },
  })
}
