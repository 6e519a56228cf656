import { updateInvitesDisabled } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'
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
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, input }: XrpcCall<unknown, Input, AdminAuth>) => {
      const account = await getNamedAccount(deps, host, input.account)
      await updateInvitesDisabled(deps.db.pool, account.id, isDisabled)
    },
  })
}
