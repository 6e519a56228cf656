import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { requestMessage } from '@rookery/mail'

import type { AccountMailDeps } from '../../accounts/account-mail.ts'
import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, findReachedAccount } from './admin-deps.ts'

const nsid = 'com.atproto.admin.sendEmail'

type Input = { recipientDid: string; content: string; subject?: string; senderDid: string; comment?: string }

/**
 * com.atproto.admin.sendEmail: mails an account what a moderator wrote, as plain text or HTML, of which the harmless
 * elements are kept. `sent` says that the mail waits to be sent; the deliveries say what became of it. The comment is
 * for the log alone.
 */
export function sendEmail(deps: AdminDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async (call: XrpcCall<unknown, Input, Operator>) => {
      const { recipientDid, subject, content: body, senderDid: sender, comment } = call.input
      const account = await findReachedAccount(deps, call, recipientDid)
      if (account === undefined) throw invalidRequest('Recipient not found')
      await requestMessage({ tx: deps.db.pool, directory: deps.directory }, account, {
        subject,
        body,
        sender,
      })
      deps.wakeWorkers()
      const by = call.auth.name
      call.request.log.info(
        { account: account.did, sender, by, comment: comment?.slice(0, 500) },
        'message queued',
      )
      return { sent: true }
    },
  })
}
