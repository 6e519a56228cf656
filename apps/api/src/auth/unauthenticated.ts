import { XrpcError } from '@rookery/http'
import type { FastifyRequest } from 'fastify'

/**
 * Lets anybody call; a request that carries credentials is refused, so that nobody believes they were used.
 *
 * @throws {XrpcError} 401 if there is an Authorization header.
 */
export function unauthenticated(request: FastifyRequest): null {
  if (request.headers.authorization !== undefined) {
    throw new XrpcError(401, 'AuthenticationRequired', 'Invalid authorization header')
  }
  return null
}
