import { parseEmail, parseOwnEmail, setEmailFactor, updateEmail as update } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { must } from '@rookery/std'

import { type AccountMailDeps, announcer, localeOf } from '../../accounts/account-mail.ts'
import { assertEmailDomain } from '../../accounts/email-domain.ts'
import { auditedAnnouncer } from '../../accounts/security-event.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

type Input = { email: string; token?: string; emailAuthFactor?: boolean }

/**
 * com.atproto.server.updateEmail: gives the account another address, or, with the one it has, says whether codes are
 * mailed there as a second factor.
 */
export function updateEmail(deps: AccessDeps & AccountMailDeps): AnyXrpcMethod {
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
      const announce = announcer(deps, 'email-changed', localeOf(request))
      const { settings } = must(await deps.directory.findTenant(auth.account.tenant_id))
      const address = parseOwnEmail(email)
      assertEmailDomain(settings, address)
      await update({ ...deps, announce }, auth.account.id, { email: address, token })
      deps.wakeWorkers()
    },
  })
}
