import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { requestTokenMail } from '@rookery/mail'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.requestAccountDelete: mails the token with which the account can be deleted. */
export function requestAccountDelete(deps: AccessDeps & { wakeWorkers: () => void }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestAccountDelete',
    auth: fullAccessAuth(deps),
    handler: async ({ auth }: XrpcCall<unknown, unknown, AccessAuth>) => {
      await requestTokenMail(deps.db.pool, auth.account, 'delete-account')
      deps.wakeWorkers()
    },
  })
}
