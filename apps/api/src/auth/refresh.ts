import type { RefreshClaims, SessionTokens } from '@rookery/accounts'
import type { FastifyRequest } from 'fastify'

import { requireBearer } from './authorization-header.ts'

/** The holder of a refresh token calls. */
export type RefreshAuth = RefreshClaims

/**
 * Returns the check of methods that take a refresh token.
 *
 * @param options.allowExpired takes one whose time is over, to sign out with.
 */
export function refreshAuth(
  deps: { tokens: SessionTokens },
  options: { allowExpired?: boolean } = {},
): (request: FastifyRequest) => RefreshAuth {
  return (request) => deps.tokens.verifyRefresh(request.pdsHost.serviceDid, requireBearer(request), options)
}
