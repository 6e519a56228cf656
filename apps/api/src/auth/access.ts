import {
  type AccessScope,
  type Account,
  AccountTakedownError,
  type SessionTokens,
  findAccountByDid,
  fullScopes,
  standardScopes,
} from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { XrpcError, invalidRequest } from '@rookery/http'
import type { FastifyRequest } from 'fastify'

import { type AdminAuth, isAdmin } from './admin.ts'
import { findOptionalCredentials, requireBearer } from './authorization-header.ts'

/** An account of the host calls. The account is as it is now, whatever the age of the token. */
export type AccessAuth = { type: 'access'; account: Account; scope: AccessScope }

/** Somebody calls, an account, or the operator. */
export type OptionalAuth = { type: 'none' } | AccessAuth | AdminAuth

export type AccessOptions = {
  /** Sessions that may call. Default: all, app passwords too. */
  scopes?: readonly AccessScope[]
  /**
   * Whether an account that is taken down or suspended may call, with its limited session too, or one whose tenant is
   * suspended. Default false.
   */
  allowTakendown?: boolean
  /** Whether a deactivated account may call. Default true. */
  allowDeactivated?: boolean
}

export type AccessDeps = {
  db: Pick<Database, 'pool'>
  tokens: SessionTokens
  adminPassword: string
  /** Throws if the account's tenant is suspended. */
  admit: (account: Account) => Promise<void>
}

/**
 * Returns the check of methods that an account calls with a session of this host. Besides the token it looks at the
 * account itself, for each request: a takedown or deletion is in force at once (SPEC AU-11).
 */
export function accessAuth(
  deps: AccessDeps,
  options: AccessOptions = {},
): (request: FastifyRequest) => Promise<AccessAuth> {
  return async (request) => verifyAccess(deps, options, request, requireBearer(request))
}

/** Returns the check of methods that only a session with the account's own password may call. */
export function fullAccessAuth(
  deps: AccessDeps,
  options: Omit<AccessOptions, 'scopes'> = {},
): (request: FastifyRequest) => Promise<AccessAuth> {
  return accessAuth(deps, { ...options, scopes: fullScopes })
}

/**
 * Returns the check of public methods that answer more to the account itself and to the operator. It lets any account
 * through, whatever its status: the method decides what that one may see.
 */
export function optionalAuth(deps: AccessDeps): (request: FastifyRequest) => Promise<OptionalAuth> {
  return async (request) => {
    const credentials = findOptionalCredentials(request, ['bearer', 'basic'])
    if (credentials === undefined) return { type: 'none' }
    if (credentials.scheme === 'bearer') {
      return verifyAccess(deps, { allowTakendown: true }, request, credentials.value)
    }
    if (isAdmin(deps.adminPassword, credentials)) return { type: 'admin' }
    throw new XrpcError(401, 'AuthenticationRequired', 'Authentication Required')
  }
}

async function verifyAccess(
  deps: AccessDeps,
  options: AccessOptions,
  request: FastifyRequest,
  token: string,
): Promise<AccessAuth> {
  const { pdsHost: host, logContext } = request
  const { did, scope } = await deps.tokens.verifyAccess(host.serviceDid, token)
  const isLimited = scope === 'com.atproto.takendown' && options.allowTakendown === true
  if (!isLimited && !(options.scopes ?? standardScopes).includes(scope)) {
    throw invalidRequest('Bad token scope', 'InvalidToken')
  }
  const account = await findAccountByDid(deps.db.pool, { hostId: host.id, did })
  if (account === undefined) throw new XrpcError(403, 'AccountNotFound', 'Account not found')
  logContext.account = did
  logContext.tenant = account.tenant_id
  checkStatus(account, options)
  if (options.allowTakendown !== true) await deps.admit(account)
  return { type: 'access', account, scope }
}

function checkStatus(account: Account, options: AccessOptions): void {
  if (options.allowTakendown !== true && (account.status === 'takendown' || account.status === 'suspended')) {
    throw new AccountTakedownError()
  }
  if (options.allowDeactivated === false && account.deactivated_at !== null) {
    throw new XrpcError(401, 'AccountDeactivated', 'Account is deactivated')
  }
}
