import { createAppPassword as make } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { noteSecurityEvent } from '../../accounts/security-event.ts'
import type { SecondFactorDeps } from '../../accounts/second-factor.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.createAppPassword: a password for an app, shown this once. */
export function createAppPassword(deps: AccessDeps & Pick<SecondFactorDeps, 'policyOf'>): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.createAppPassword',
    auth: fullAccessAuth(deps),
    handler: async ({
      input,
      auth,
    }: XrpcCall<unknown, { name: string; privileged?: boolean }, AccessAuth>) => {
      const { name, privileged = false } = input
      const { areAppPasswordsAllowed } = await deps.policyOf(auth.account)
      if (!areAppPasswordsAllowed) throw invalidRequest('App passwords are not allowed here')
      const made = await make(deps, auth.account.id, { name, privileged })
      await noteSecurityEvent(deps.db.pool, auth.account, 'account.app-password.make', { name })
      return { ...made, createdAt: made.createdAt.toISOString() }
    },
  })
}
