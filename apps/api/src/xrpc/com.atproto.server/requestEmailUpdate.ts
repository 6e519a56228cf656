import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { requestTokenMail } from '@rookery/mail'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.requestEmailUpdate: tells whether updateEmail wants a token, and mails it if so. */
export function requestEmailUpdate(deps: AccessDeps & { wakeWorkers: () => void }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestEmailUpdate',
    auth: fullAccessAuth(deps),
    handler: async ({ auth: { account } }: XrpcCall<unknown, unknown, AccessAuth>) => {
      const tokenRequired = account.email_confirmed_at !== null
      if (tokenRequired) {
        await requestTokenMail(deps.db.pool, account, 'update-email')
        deps.wakeWorkers()
      }
      return { tokenRequired }
    },
  })
}
