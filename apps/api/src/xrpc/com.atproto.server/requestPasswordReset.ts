import { parseEmail } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { requestPasswordReset as request } from '@rookery/mail'

import { localeOf } from '../../accounts/account-mail.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

type Deps = { db: Pick<Database, 'pool'>; wakeWorkers: () => void }

/**
 * com.atproto.server.requestPasswordReset: mails the token that resetPassword takes. Whether the host has an account
 * with the address is found out afterwards, by a worker: nobody learns who is here by the answer, nor by its time.
 */
export function requestPasswordReset(deps: Deps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestPasswordReset',
    auth: unauthenticated,
    handler: async ({ host, input, request: asked }: XrpcCall<unknown, { email: string }, null>) => {
      const wish = { hostId: host.id, email: parseEmail(input.email), locale: localeOf(asked) }
      await request(deps.db.pool, wish)
      deps.wakeWorkers()
    },
  })
}
