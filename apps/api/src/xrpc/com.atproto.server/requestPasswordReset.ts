import { findAccountByEmail } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { requestTokenMail } from '@rookery/mail'

import { unauthenticated } from '../../auth/unauthenticated.ts'

type Deps = { db: Pick<Database, 'pool'>; wakeWorkers: () => void }

/**
 * com.atproto.server.requestPasswordReset: mails the token that resetPassword takes. The answer is the same whether the
 * host has an account with the address or not: nobody learns who is here.
 */
export function requestPasswordReset(deps: Deps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestPasswordReset',
    auth: unauthenticated,
    handler: async ({ host, input }: XrpcCall<unknown, { email: string }, null>) => {
      const account = await findAccountByEmail(deps.db.pool, host.id, input.email.trim().toLowerCase())
      if (account === undefined) return
      await requestTokenMail(deps.db.pool, account, 'reset-password')
      deps.wakeWorkers()
    },
  })
}
