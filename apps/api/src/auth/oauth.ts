import { OAuthError, WWWAuthenticateError } from '@atproto/oauth-provider/errors'
import { ScopeMissingError, type ScopePermissions } from '@atproto/oauth-scopes'
import { XrpcError } from '@rookery/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { OAuthProviders } from '../oauth/providers.ts'
import { AppPermissions } from './app-permissions.ts'
import { oauthRules } from './oauth-rules.ts'

/** What an app's access token says: whose it is, and what the account allowed. */
export type OAuthClaims = { did: string; permissions: ScopePermissions }

/**
 * Returns what the request's DPoP-bound access token says if it is one of this host's, alive, and allows an app to call
 * the method. Every answer carries the nonce for the next proof (SPEC OA-20).
 *
 * @throws {XrpcError} 401 with a challenge for the token or its proof; 403 ScopeMissingError for what it does not allow.
 */
export async function verifyOAuth(
  deps: { oauth: Pick<OAuthProviders, 'get'> },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<OAuthClaims> {
  const { pdsHost: host } = request
  const provider = await deps.oauth.get(host)
  const nonce = provider.nextDpopNonce()
  if (nonce !== undefined) reply.header('dpop-nonce', nonce)
  try {
    const url = new URL(request.url, host.publicUrl)
    const { sub, scope } = await provider.authenticateRequest(request.method, url, request.headers, {
      audience: [host.serviceDid],
      scope: ['atproto'],
    })
    return { did: sub, permissions: new AppPermissions(scope) }
  } catch (error) {
    throw toChallenge(error)
  }
}

/**
 * Checks that an app with these permissions may call the request's method at all.
 *
 * @throws {XrpcError} 403 for a method that is closed to apps, or that the account did not allow.
 */
export function assertAppMay(permissions: ScopePermissions, request: FastifyRequest): void {
  const nsid = request.routeOptions.url?.replace('/xrpc/', '') ?? ''
  const rule = oauthRules[nsid]
  if (rule === undefined) {
    throw new XrpcError(403, 'Forbidden', 'OAuth credentials are not supported for this endpoint')
  }
  assertAllowed(() => rule(permissions, request))
}

/** Does the check; a permission that is missing is thrown as the answer. */
export function assertAllowed(check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof ScopeMissingError)) throw error
    throw new XrpcError(403, 'ScopeMissingError', error.message, { cause: error })
  }
}

function toChallenge(error: unknown): unknown {
  if (!(error instanceof OAuthError) || error.status >= 500) return error
  const headers =
    error instanceof WWWAuthenticateError ? { 'www-authenticate': error.wwwAuthenticateHeader } : {}
  return new XrpcError(error.status, error.error, error.error_description, { headers, cause: error })
}
