import { revokeAppPassword as revoke } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { noteSecurityEvent } from '../../accounts/security-event.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.revokeAppPassword: ends an app password and the sessions that it began. */
export function revokeAppPassword(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.revokeAppPassword',
    auth: fullAccessAuth(deps),
    handler: async ({ input: { name }, auth }: XrpcCall<unknown, { name: string }, AccessAuth>) => {
      await revoke(deps, auth.account.id, name)
      await noteSecurityEvent(deps.db.pool, auth.account, 'account.app-password.revoke', { name })
    },
  })
}
