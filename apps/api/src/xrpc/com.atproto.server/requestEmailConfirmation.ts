import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { requestTokenMail } from '@rookery/mail'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.requestEmailConfirmation: mails the token that confirmEmail takes. */
export function requestEmailConfirmation(deps: AccessDeps & { wakeWorkers: () => void }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestEmailConfirmation',
    auth: fullAccessAuth(deps),
    handler: async ({ auth }: XrpcCall<unknown, unknown, AccessAuth>) => {
      await requestTokenMail(deps.db.pool, auth.account, 'confirm-email')
      deps.wakeWorkers()
    },
  })
}
