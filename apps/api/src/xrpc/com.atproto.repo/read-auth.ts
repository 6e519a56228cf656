import { XrpcError } from '@rookery/http'
import { findRepoRev } from '@rookery/records'
import { DomainError } from '@rookery/std'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'

/**
 * Returns the check of methods that answer the same to everybody: anybody may call. Clients send their session with
 * everything they ask, so one that is no longer good is no reason to refuse.
 */
export function readAuth(
  deps: AccessDeps,
): (request: FastifyRequest, reply: FastifyReply) => Promise<OptionalAuth> {
  const check = optionalAuth(deps)
  return async (request, reply) => {
    try {
      return await check(request, reply)
    } catch (error) {
      if (error instanceof XrpcError || error instanceof DomainError) return { type: 'none' }
      throw error
    }
  }
}

/** Tells an account that reads which rev its own repo has: how far what it reads elsewhere may lag (SPEC SYN-11). */
export async function sendRepoRev(
  deps: Pick<AccessDeps, 'db'>,
  reply: FastifyReply,
  auth: OptionalAuth,
): Promise<void> {
  if (auth.type !== 'access') return
  const rev = await findRepoRev(deps.db.pool, auth.account.id)
  if (rev !== undefined) reply.header('atproto-repo-rev', rev)
}
