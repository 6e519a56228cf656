import { XrpcError, invalidRequest } from '@rookery/http'
import type { FastifyRequest } from 'fastify'

/** Credentials as they came: nothing of them is verified. */
export type Credentials = { scheme: 'basic' | 'bearer' | 'dpop'; value: string }

/**
 * Returns the request's credentials, or undefined if it has none.
 *
 * @throws {XrpcError} 400 InvalidToken if the header is malformed or of a scheme that nobody here knows.
 */
export function findCredentials(request: FastifyRequest): Credentials | undefined {
  const header = request.headers.authorization
  if (header === undefined) return undefined
  const [scheme = '', value = '', ...rest] = header.split(' ')
  if (value === '' || rest.length > 0) throw invalidRequest('Malformed authorization header', 'InvalidToken')
  const known = scheme.toLowerCase()
  if (known === 'basic' || known === 'bearer' || known === 'dpop') return { scheme: known, value }
  throw invalidRequest(`Unsupported authorization type: ${scheme.slice(0, 20)}`, 'InvalidToken')
}

/**
 * Returns the request's credentials.
 *
 * @throws {XrpcError} 401 AuthMissing without any; 400 InvalidToken for those of a scheme that the method does not take.
 */
export function requireCredentials(
  request: FastifyRequest,
  schemes: readonly Credentials['scheme'][],
): Credentials {
  const credentials = findCredentials(request)
  if (credentials === undefined) throw authMissing()
  if (!schemes.includes(credentials.scheme)) {
    throw invalidRequest(`Unsupported authorization type: ${credentials.scheme}`, 'InvalidToken')
  }
  return credentials
}

/** Returns the request's bearer token; throws as `requireCredentials` does. */
export function requireBearer(request: FastifyRequest): string {
  return requireCredentials(request, ['bearer']).value
}

/**
 * Returns the request's credentials for a method that works without any too, or undefined if it has none.
 *
 * @throws {XrpcError} 401 if they are of a scheme that the method does not take: nobody shall believe they were used.
 */
export function findOptionalCredentials(
  request: FastifyRequest,
  schemes: readonly Credentials['scheme'][],
): Credentials | undefined {
  const { authorization } = request.headers
  if (authorization === undefined) return undefined
  const scheme = authorization.split(' ', 1)[0]?.toLowerCase()
  if (!schemes.some((taken) => taken === scheme)) {
    throw new XrpcError(401, 'AuthenticationRequired', 'Invalid authorization header')
  }
  return findCredentials(request)
}

/** Returns the answer to a request without the credentials that it needs. */
function authMissing(): XrpcError {
  return new XrpcError(401, 'AuthMissing', 'Authentication Required')
}
