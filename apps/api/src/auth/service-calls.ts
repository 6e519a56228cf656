import { privilegedScopes } from '@rookery/accounts'
import { invalidRequest } from '@rookery/http'

import type { AccessAuth } from './access.ts'
import { isPrivilegedMethod, isProtectedMethod } from './method-classes.ts'
import { assertAllowed } from './oauth.ts'

/** A method of another service that an account wants to call through this one. */
export type ServiceCall = { nsid: string; service: { did: string; id: string } }

/**
 * Decides whether a session may call a method of another service in its account's name: the one place for that,
 * whichever handler forwards the call.
 *
 * @throws {XrpcError} 400 InvalidToken if it may not; 403 ScopeMissingError if the account did not allow the app.
 */
export function assertMayCall({ scope, permissions }: AccessAuth, { nsid, service }: ServiceCall): void {
  assertNotProtected(nsid)
  if (permissions !== undefined) {
    return assertAllowed(() => permissions.assertRpc({ lxm: nsid, aud: `${service.did}#${service.id}` }))
  }
  if (isPrivilegedMethod(nsid) && !privilegedScopes.includes(scope)) {
    throw invalidRequest('Bad token method', 'InvalidToken')
  }
}

/**
 * Refuses methods that nobody calls through this service: an account is managed where it is (SPEC PX-5).
 *
 * @throws {XrpcError} 400 InvalidToken.
 */
export function assertNotProtected(nsid: string): void {
  if (isProtectedMethod(nsid)) throw invalidRequest('Bad token method', 'InvalidToken')
}
