import { XrpcError } from '@rookery/http'
import {
  type ExpectedServiceToken,
  type IdentityResolver,
  InvalidServiceTokenError,
  verifyServiceToken,
} from '@rookery/identity'
import type { Redis, RedisKeys } from '@rookery/redis'
import type { Logger } from '@rookery/telemetry'
import type { FastifyRequest } from 'fastify'

import { findOptionalCredentials } from './authorization-header.ts'

/** Somebody who proves a DID calls; the DID need not have an account here. */
export type ServiceAuth = { type: 'service'; did: string }

export type ServiceAuthDeps = {
  identities: Pick<IdentityResolver, 'resolveDid'>
  redis: Redis
  keys: RedisKeys
  log: Logger
}

/** Returns the check of methods that take a service token for themselves or no credentials. */
export function optionalServiceAuth(
  deps: ServiceAuthDeps,
  method: string,
): (request: FastifyRequest) => Promise<ServiceAuth | null> {
  return async (request) => {
    const credentials = findOptionalCredentials(request, ['bearer'])
    return credentials === undefined ? null : verifyService(deps, { method }, request, credentials.value)
  }
}

/**
 * Returns who a service token proves to call the host that was asked.
 *
 * @throws {XrpcError} 401 if it proves nobody, or was used before.
 */
export async function verifyService(
  deps: ServiceAuthDeps,
  expected: Omit<ExpectedServiceToken, 'audience'>,
  request: FastifyRequest,
  token: string,
): Promise<ServiceAuth> {
  const { pdsHost: host } = request
  try {
    const verified = await verifyServiceToken(deps, token, { ...expected, audience: host.serviceDid })
    const key = deps.keys.serviceAuthJti(host.id, verified.issuer, verified.jti)
    await refuseReplay(deps, key, verified.expiresAtMs)
    return { type: 'service', did: verified.issuer }
  } catch (error) {
    if (!(error instanceof InvalidServiceTokenError)) throw error
    throw new XrpcError(401, error.problem, error.message, { cause: error })
  }
}

/** Each token is good once. While Redis is away that is not known, and the token's own minute must do. */
async function refuseReplay(deps: ServiceAuthDeps, key: string, expiresAtMs: number): Promise<void> {
  // The clock skew that the verification forgives is kept on top.
  const keepMs = Math.max(expiresAtMs - Date.now(), 0) + 60_000
  const isFirst = await deps.redis.set(key, '1', 'PX', Math.ceil(keepMs), 'NX').catch((error: unknown) => {
    deps.log.warn({ err: error }, 'service tokens are not checked for replay: redis is away')
    return 'OK'
  })
  if (isFirst === null) throw new InvalidServiceTokenError('BadJwt', 'jwt was used before')
}
