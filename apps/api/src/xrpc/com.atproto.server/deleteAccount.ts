import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { localeOf } from '../../accounts/account-mail.ts'
import { type DeleteOwnAccountDeps, deleteOwnAccount } from '../../accounts/delete-own-account.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

type Input = { did: string; password: string; token: string }

/** com.atproto.server.deleteAccount: deletes the account with its password and the token that was mailed. */
export function deleteAccount(deps: DeleteOwnAccountDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.deleteAccount',
    auth: unauthenticated,
    handler: ({ host, input, request }: XrpcCall<unknown, Input, null>) =>
      deleteOwnAccount(deps, host, { ...input, locale: localeOf(request) }),
  })
}
