import {
  type AccessClaims,
  type AccessScope,
  type Account,
  type AccountReader,
  AccountTakedownError,
  ExpiredTokenError,
  type SessionTokens,
  fullScopes,
  standardScopes,
} from '@rookery/accounts'
import type { ScopePermissions } from '@atproto/oauth-scopes'
import type { Database } from '@rookery/db'
import { XrpcError, invalidRequest } from '@rookery/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { type AdminAuth, isAdmin } from './admin.ts'
import type { OAuthProviders } from '../oauth/providers.ts'
import { type Credentials, findOptionalCredentials, requireCredentials } from './authorization-header.ts'
import { assertAppMay, verifyOAuth } from './oauth.ts'

/** An account of the host calls. The account is as it is now, whatever the age of the token. */
export type AccessAuth = {
  type: 'access'
  account: Account
  /** Kind of the session; an app that has its token by OAuth is treated as one with a password of its own. */
  scope: AccessScope
  /** What the account allowed an app that calls for it by OAuth; undefined for sessions with a password. */
  permissions?: ScopePermissions
}

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

/** Finds out who calls, or throws the answer. */
export type AccessCheck = (request: FastifyRequest, reply: FastifyReply) => Promise<AccessAuth>

export type AccessDeps = {
  db: Pick<Database, 'pool'>
  accounts: Pick<AccountReader, 'findByDid'>
  tokens: SessionTokens
  oauth: Pick<OAuthProviders, 'get'>
  adminPassword: string
  /** Throws if the account's tenant is suspended. */
  admit: (account: Pick<Account, 'tenant_id'>) => Promise<void>
}

/**
 * Returns the check of methods that an account calls with a session of this host. Besides the token it looks at the
 * account itself, for each request: a takedown or deletion is in force at once (SPEC AU-11).
 */
export function accessAuth(deps: AccessDeps, options: AccessOptions = {}): AccessCheck {
  return async (request, reply) =>
    verifyAccess(deps, options, { request, reply }, requireCredentials(request, ['bearer', 'dpop']))
}

/** Returns the check of methods that of sessions with a password only one with the account's own may call. */
export function fullAccessAuth(deps: AccessDeps, options: Omit<AccessOptions, 'scopes'> = {}): AccessCheck {
  return accessAuth(deps, { ...options, scopes: fullScopes })
}

/**
 * Returns the check of public methods that answer more to the account itself and to the operator. It lets any account
 * through, whatever its status: the method decides what that one may see.
 */
export function optionalAuth(
  deps: AccessDeps,
): (request: FastifyRequest, reply: FastifyReply) => Promise<OptionalAuth> {
  return async (request, reply) => {
    const credentials = findOptionalCredentials(request, ['bearer', 'basic', 'dpop'])
    if (credentials === undefined) return { type: 'none' }
    if (credentials.scheme !== 'basic') {
      return verifyAccess(deps, { allowTakendown: true }, { request, reply }, credentials)
    }
    if (isAdmin(deps.adminPassword, credentials)) return { type: 'admin' }
    throw new XrpcError(401, 'AuthenticationRequired', 'Authentication Required')
  }
}

async function verifyAccess(
  deps: AccessDeps,
  options: AccessOptions,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  credentials: Credentials,
): Promise<AccessAuth> {
  if (credentials.scheme === 'dpop') {
    const { did, permissions } = await verifyOAuth(deps, request, reply)
    assertAppMay(permissions, request)
    return {
      type: 'access',
      account: await getCaller(deps, options, request, { did }),
      scope: 'com.atproto.appPass',
      permissions,
    }
  }
  const claims = verifyToken(deps, options, request, credentials.value)
  return { type: 'access', account: await getCaller(deps, options, request, claims), scope: claims.scope }
}

/**
 * Returns what a session's token says if sessions of its kind may call. Nothing is known of the account yet.
 *
 * @throws {ExpiredTokenError} {InvalidTokenError} if the token is no good.
 * @throws {XrpcError} 400 InvalidToken for another kind of session.
 */
export function verifyToken(
  deps: Pick<AccessDeps, 'tokens'>,
  options: AccessOptions,
  request: FastifyRequest,
  token: string,
): AccessClaims {
  const claims = deps.tokens.verifyAccess(request.pdsHost.serviceDid, token)
  const isLimited = claims.scope === 'com.atproto.takendown' && options.allowTakendown === true
  if (!isLimited && !(options.scopes ?? standardScopes).includes(claims.scope)) {
    throw invalidRequest('Bad token scope', 'InvalidToken')
  }
  return claims
}

/**
 * Returns the account that a token names, as it is now, if it may call.
 *
 * @throws {XrpcError} 403 AccountNotFound if it is gone, 401 AccountDeactivated if it must not be deactivated.
 * @throws {ExpiredTokenError} if the session was ended.
 * @throws {AccountTakedownError} if it is taken down or suspended.
 * @throws whatever `admit` throws.
 */
export async function getCaller(
  deps: Pick<AccessDeps, 'accounts' | 'admit'>,
  options: AccessOptions,
  { pdsHost: host, logContext }: FastifyRequest,
  { did, epoch }: { did: string; epoch?: number },
): Promise<Account> {
  const account = await deps.accounts.findByDid({ hostId: host.id, did })
  if (account === undefined) throw new XrpcError(403, 'AccountNotFound', 'Account not found')
  logContext.account = did
  logContext.tenant = account.tenant_id
  checkStatus(account, options)
  if (epoch !== undefined && epoch !== account.session_epoch) {
    throw new ExpiredTokenError('Token has been revoked')
  }
  if (options.allowTakendown !== true) await deps.admit(account)
  return account
}

function checkStatus(account: Account, options: AccessOptions): void {
  if (options.allowTakendown !== true && (account.status === 'takendown' || account.status === 'suspended')) {
    throw new AccountTakedownError()
  }
  if (options.allowDeactivated === false && account.deactivated_at !== null) {
    throw new XrpcError(401, 'AccountDeactivated', 'Account is deactivated')
  }
}
