import { deleteAccount as deleteForGood, scheduleErasure } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import type { IdentityResolver, SigningKeys } from '@rookery/identity'

import { type AccountMailDeps, announcer } from '../../accounts/account-mail.ts'
import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, findReachedAccount } from './admin-deps.ts'

export type DeleteAccountDeps = AdminDeps &
  AccountMailDeps & {
    identities: Pick<IdentityResolver, 'forget'>
    signingKeys: Pick<SigningKeys, 'forget'>
    wakeSequencer: () => void
  }

/** com.atproto.admin.deleteAccount: deletes an account for good, at once for everybody. */
export function deleteAccount(deps: DeleteAccountDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.deleteAccount',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<unknown, { did: string }, Operator>) => {
      const account = await findReachedAccount(deps, call, call.input.did)
      if (account === undefined) throw invalidRequest('Account not found', 'NotFound')
      const announce = announcer(deps, 'account-deleted')
      await deleteForGood({ db: deps.db, scheduleErasure }, account.id, (tx) => announce(tx, account))
      deps.signingKeys.forget(account.id)
      deps.wakeSequencer()
      deps.wakeWorkers()
      await deps.identities.forget({ did: account.did })
    },
  })
}
