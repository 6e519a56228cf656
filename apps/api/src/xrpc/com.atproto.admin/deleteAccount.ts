import { deleteAccount as deleteForGood, scheduleErasure } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import type { IdentityResolver, SigningKeys } from '@rookery/identity'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'
import { type AdminDeps, getNamedAccount } from './admin-deps.ts'

export type DeleteAccountDeps = AdminDeps & {
  identities: Pick<IdentityResolver, 'forget'>
  signingKeys: Pick<SigningKeys, 'forget'>
  wakeSequencer: () => void
  wakeWorkers: () => void
}

/** com.atproto.admin.deleteAccount: deletes an account for good, at once for everybody. */
export function deleteAccount(deps: DeleteAccountDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.deleteAccount',
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, input }: XrpcCall<unknown, { did: string }, AdminAuth>) => {
      const account = await getNamedAccount(deps, host, input.did)
      await deleteForGood({ db: deps.db, scheduleErasure }, account.id)
      deps.signingKeys.forget(account.id)
      deps.wakeSequencer()
      deps.wakeWorkers()
      await deps.identities.forget({ did: account.did })
    },
  })
}
