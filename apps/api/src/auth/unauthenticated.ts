import type { FastifyRequest } from 'fastify'

/**
 * Lets anybody call. Credentials are not looked at: clients that are signed in send them with every request, also
 * with those that are public.
 */
export function unauthenticated(_request: FastifyRequest): null {
  return null
}
