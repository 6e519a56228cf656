import { type PasswordHasher, resetPassword as reset } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccountMailDeps, localeOf } from '../../accounts/account-mail.ts'
import { auditedAnnouncer } from '../../accounts/security-event.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

type Deps = AccountMailDeps & { passwords: PasswordHasher }
type Input = { token: string; password: string }

/** com.atproto.server.resetPassword: sets a new password with the token that was mailed, and ends all sessions. */
export function resetPassword(deps: Deps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.resetPassword',
    auth: unauthenticated,
    handler: async ({ host, input, request }: XrpcCall<unknown, Input, null>) => {
      const event = { template: 'password-changed', action: 'account.password.reset' } as const
      const announce = auditedAnnouncer(deps, { ...event, locale: localeOf(request) })
      await reset({ ...deps, announce }, host.id, input)
      deps.wakeWorkers()
    },
  })
}
