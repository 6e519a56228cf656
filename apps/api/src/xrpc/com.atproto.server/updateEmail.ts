import { parseEmail, setEmailFactor } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { localeOf } from '../../accounts/account-mail.ts'
import { type ChangeEmailDeps, changeEmail } from '../../accounts/change-email.ts'
import { auditedAnnouncer } from '../../accounts/security-event.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

type Input = { email: string; token?: string; emailAuthFactor?: boolean }

/**
 * com.atproto.server.updateEmail: gives the account another address, or, with the one it has, says whether codes are
 * mailed there as a second factor.
 */
export function updateEmail(deps: AccessDeps & ChangeEmailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.updateEmail',
    auth: fullAccessAuth(deps),
    handler: async ({ input, auth, request }: XrpcCall<unknown, Input, AccessAuth>) => {
      const { email, token, emailAuthFactor } = input
      if (emailAuthFactor !== undefined && parseEmail(email) === auth.account.email) {
        const action = `account.email-codes.${emailAuthFactor ? 'on' : 'off'}`
        const event = { template: 'factors-changed', action, locale: localeOf(request) } as const
        const announce = auditedAnnouncer(deps, event)
        await setEmailFactor({ ...deps, announce }, auth.account.id, { isOn: emailAuthFactor, token })
        return deps.wakeWorkers()
      }
      if (emailAuthFactor === true) throw invalidRequest('Confirm the new address first')
      await changeEmail(deps, auth.account, { email, token, locale: localeOf(request) })
    },
  })
}
