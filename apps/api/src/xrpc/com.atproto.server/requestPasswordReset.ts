import { findAccountByEmail } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { MailLimitError } from '@rookery/mail'

import { type AccountMailDeps, localeOf, mailToken } from '../../accounts/account-mail.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

/**
 * com.atproto.server.requestPasswordReset: mails the token that resetPassword takes. The answer is the same whether the
 * host has an account with the address or not: nobody learns who is here.
 */
export function requestPasswordReset(deps: AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.requestPasswordReset',
    auth: unauthenticated,
    handler: async ({ host, input, request }: XrpcCall<unknown, { email: string }, null>) => {
      const account = await findAccountByEmail(deps.db.pool, host.id, input.email.trim().toLowerCase())
      if (account === undefined) return
      try {
        await mailToken(deps, account, 'reset-password', localeOf(request))
      } catch (error) {
        // A refusal would tell that the address is known here. Operators find it among the deliveries.
        if (!(error instanceof MailLimitError)) throw error
      }
    },
  })
}
