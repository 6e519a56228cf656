import {
  InvalidLoginError,
  type OfferedEmailToken,
  type PasswordHasher,
  assertEmailToken,
  checkPassword,
  consumeEmailToken,
  deleteAccount as deleteForGood,
  scheduleErasure,
} from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import type { IdentityResolver, SigningKeys } from '@rookery/identity'

import { unauthenticated } from '../../auth/unauthenticated.ts'

export type DeleteAccountDeps = {
  db: Pick<Database, 'pool'>
  passwords: PasswordHasher
  identities: Pick<IdentityResolver, 'forget'>
  signingKeys: Pick<SigningKeys, 'forget'>
  wakeSequencer: () => void
  wakeWorkers: () => void
}

type Input = { did: string; password: string; token: string }

/** com.atproto.server.deleteAccount: deletes the account with its password and the token that was mailed. */
export function deleteAccount(deps: DeleteAccountDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.deleteAccount',
    auth: unauthenticated,
    handler: async ({ host, input }: XrpcCall<unknown, Input, null>) => {
      const { did, password, token } = input
      const account = await checkPassword(deps, { hostId: host.id, did }, password)
      if (account === undefined) throw new InvalidLoginError('Invalid did or password')
      const offered: OfferedEmailToken = { accountId: account.id, purpose: 'delete_account', token }
      await assertEmailToken(deps.db.pool, offered)
      await deleteForGood({ db: deps.db, scheduleErasure }, account.id, (tx) =>
        consumeEmailToken(tx, offered),
      )
      deps.signingKeys.forget(account.id)
      deps.wakeSequencer()
      deps.wakeWorkers()
      await deps.identities.forget({ did })
    },
  })
}
