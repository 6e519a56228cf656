import type { ScopePermissions } from '@atproto/oauth-scopes'
import { type Account, AccountTakedownError, peekTokenType } from '@rookery/accounts'
import { XrpcError } from '@rookery/http'
import { must } from '@rookery/std'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { type AccessDeps, accessAuth } from './access.ts'
import { requireCredentials } from './authorization-header.ts'
import { type ServiceAuthDeps, optionalServiceAuth } from './service.ts'

/** An account calls, or a service on its behalf. */
export type AccountAuth = {
  account: Account
  /** What the account allowed an app that calls for it by OAuth. */
  permissions?: ScopePermissions
}

/** `typ` of service tokens; those of this host's sessions have types of their own. */
const serviceTokenType = 'JWT'

/**
 * Returns the check of methods that an account calls with a session, or another service with a token that the account
 * signed for this host and this method (REFERENCE 1.7). Deactivated accounts may call.
 */
export function accessOrServiceAuth(
  deps: AccessDeps & ServiceAuthDeps,
  method: string,
): (request: FastifyRequest, reply: FastifyReply) => Promise<AccountAuth> {
  const session = accessAuth(deps)
  const service = optionalServiceAuth(deps, method)
  return async (request, reply) => {
    const { scheme, value } = requireCredentials(request, ['bearer', 'dpop'])
    if (scheme === 'dpop' || peekTokenType(value) !== serviceTokenType) return session(request, reply)
    const { did } = must(await service(request), 'the request has credentials')
    const account = await deps.accounts.findByDid({ hostId: request.pdsHost.id, did })
    if (account === undefined) throw new XrpcError(403, 'AccountNotFound', 'Account not found')
    if (account.status === 'takendown' || account.status === 'suspended') throw new AccountTakedownError()
    request.logContext.account = did
    request.logContext.tenant = account.tenant_id
    await deps.admit(account)
    return { account }
  }
}
