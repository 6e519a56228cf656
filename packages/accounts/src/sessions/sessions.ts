import { randomBytes } from 'node:crypto'

import type { Database, Queryable } from '@rookery/db'
import { DomainError } from '@rookery/std'
import { businessEvent } from '@rookery/telemetry'

import { findAppPassword, findAppPasswordOfSession } from '../app-passwords/app-password-queries.ts'
import { type AppPassword, hashAppPassword, isAppPassword } from '../app-passwords/app-passwords.ts'
import { findAccountByDid, findLogin, updatePasswordHash } from '../account-queries.ts'
import type { AccountReader } from '../account-reader.ts'
import type { Account, AccountWithPassword } from '../account.ts'
import type { NoteFailure } from '../audit/sign-in-failure-queries.ts'
import { AccountTakedownError, ExpiredTokenError, InvalidLoginError } from '../errors.ts'
import { type SecretWrapper, assertSecondFactor } from '../factors/second-factor.ts'
import type { PasswordHasher } from '../passwords/password-hasher.ts'
import { assertOfferedPassword } from '../passwords/password-rules.ts'
import type { AccessScope } from './scopes.ts'
import { deleteRefreshToken, insertRefreshToken, rotateRefreshToken } from './session-queries.ts'
import type { RefreshClaims, SessionTokens } from './session-tokens.ts'

/** No account has this row id: what is looked up for an unknown identifier, so that it takes as long. */
const noAccountId = 0

/** An account that is signed in, with its tokens. */
export type Session = { account: Account; accessJwt: string; refreshJwt: string }

/** A refresh token as it is stored. */
export type RefreshToken = { id: string; expiresAt: Date }

/** The host as sessions know it: its row id, and the DID that its tokens are for. */
export type SessionHost = { id: number; serviceDid: string }

/** What an account's tenant decides about signing in. */
export type SignInPolicy = {
  /** Whether accounts without a second factor of their own are asked for a code by mail. */
  isSecondFactorRequired: boolean
  areAppPasswordsAllowed: boolean
  /** How long a session that began with a password may rest, in milliseconds; null: as long as the cluster lets it. */
  passwordSessionMs: number | null
  /** How long no second factor is asked for in a browser that its owner trusts, in milliseconds. */
  trustedBrowserMs: number
}

export type SignInDeps = {
  db: Pick<Database, 'pool'>
  passwords: PasswordHasher
  tokens: SessionTokens
  /** Unwraps the secrets of authenticator apps. */
  wrapper: SecretWrapper
  policyOf: (account: Pick<Account, 'tenant_id'>) => Promise<SignInPolicy>
  noteFailure?: NoteFailure
  /** Throws if the account may have no session for a reason that lies outside of it, such as a suspended tenant. */
  admit?: (account: Account) => Promise<void>
}

export type RefreshDeps = Pick<SignInDeps, 'db' | 'tokens' | 'admit' | 'policyOf'> & {
  accounts: Pick<AccountReader, 'findByDid'>
}

export type SignInInput = {
  /** DID, handle or e-mail address, in any case. */
  identifier: string
  password: string
  /** A code of the account's second factor. */
  factorCode?: string | undefined
  /** Whether a taken-down account gets a session for the little it may do (SPEC AU-6). */
  allowTakendown: boolean
}

/**
 * Signs in with the account's password, or one that it made for an app, and returns a new session. Answers an unknown
 * identifier as it answers a wrong password, after the same work. App passwords open no account that is barred, and
 * want no second factor: they are for apps that cannot ask for one.
 *
 * @throws {InvalidLoginError} if there is no such account or the password is not its own.
 * @throws {FactorRequiredError} if the password is right and a second factor is wanted besides.
 * @throws {InvalidTokenError} {ExpiredTokenError} for the code.
 * @throws {AccountTakedownError} if the account is taken down or suspended and `allowTakendown` is not set.
 * @throws {PasswordQueueFullError} if too many sign-ins wait already.
 * @throws what `admit` throws, unless `allowTakendown` is set.
 */
export async function signIn(deps: SignInDeps, host: SessionHost, input: SignInInput): Promise<Session> {
  try {
    const session = await openSession(deps, host, input)
    const { did: account, tenant_id: tenant } = session.account
    businessEvent('signedIn', { host: host.serviceDid, tenant, account })
    return session
  } catch (error) {
    if (error instanceof DomainError) {
      businessEvent('signInRefused', { host: host.serviceDid, reason: error.code })
    }
    throw error
  }
}

async function openSession(deps: SignInDeps, host: SessionHost, input: SignInInput): Promise<Session> {
  assertOfferedPassword(input.password)
  const login = await findLogin(deps.db.pool, host.id, normalizeIdentifier(input.identifier))
  const appPassword = await offeredAppPassword(deps, login, input.password)
  if (login !== undefined && appPassword !== undefined) return appSession(deps, host, { login, appPassword })
  const account = await ownAccount(deps, login, input.password)
  if (account === undefined) throw new InvalidLoginError()
  const { isSecondFactorRequired, passwordSessionMs } = await deps.policyOf(account)
  await assertSecondFactor(deps, account, { code: input.factorCode, isRequired: isSecondFactorRequired })
  if (isBarred(account)) {
    if (!input.allowTakendown) throw new AccountTakedownError()
    return takendownSession(deps, host, account)
  }
  if (!input.allowTakendown) await deps.admit?.(account)
  return startSession(deps.db.pool, deps.tokens, host, { account, sessionMs: passwordSessionMs })
}

/** The app password that was offered. It is random, so to look its hash up is as good as to compare. */
async function offeredAppPassword(
  { db, policyOf }: SignInDeps,
  login: AccountWithPassword | undefined,
  password: string,
): Promise<AppPassword | undefined> {
  if (!isAppPassword(password)) return undefined
  if (login !== undefined && !(await policyOf(login)).areAppPasswordsAllowed) return undefined
  return findAppPassword(db.pool, login?.id ?? noAccountId, hashAppPassword(password))
}

async function appSession(
  deps: SignInDeps,
  host: SessionHost,
  { login, appPassword }: { login: AccountWithPassword; appPassword: AppPassword },
): Promise<Session> {
  const { password_hash: _, ...account } = login
  if (isBarred(account)) throw new AccountTakedownError()
  await deps.admit?.(account)
  const { passwordSessionMs: sessionMs } = await deps.policyOf(account)
  return startSession(deps.db.pool, deps.tokens, host, { account, appPassword, sessionMs })
}

/**
 * Returns the account that a DID, handle or e-mail address names if the password is its own, whatever its status; else
 * undefined, after the same work.
 *
 * @throws {PasswordQueueFullError} if too many sign-ins wait already.
 */
export async function checkPassword(
  deps: Pick<SignInDeps, 'db' | 'passwords' | 'noteFailure'>,
  login: { hostId: number; identifier: string },
  password: string,
): Promise<Account | undefined> {
  assertOfferedPassword(password)
  return ownAccount(
    deps,
    await findLogin(deps.db.pool, login.hostId, normalizeIdentifier(login.identifier)),
    password,
  )
}

async function ownAccount(
  deps: Pick<SignInDeps, 'db' | 'passwords' | 'noteFailure'>,
  login: AccountWithPassword | undefined,
  password: string,
): Promise<Account | undefined> {
  const check = await deps.passwords.verify(login?.password_hash, password)
  if (login === undefined) return undefined
  const { password_hash: _, ...account } = login
  if (!check.matches) {
    deps.noteFailure?.(account, 'password')
    return undefined
  }
  if (check.needsRehash && !isBarred(account)) {
    await updatePasswordHash(deps.db.pool, account.id, await deps.passwords.hash(password))
  }
  return account
}

/**
 * Stores a new session of the account, in a transaction if the caller is in one, and returns it with its tokens.
 *
 * @param login whose it is, the app password that it begins with (none is the account's own password), and how long the
 *   account's tenant lets it rest.
 */
export async function startSession(
  tx: Queryable,
  tokens: SessionTokens,
  host: SessionHost,
  login: { account: Account; appPassword?: AppPassword; sessionMs: number | null },
): Promise<Session> {
  const { account, appPassword, sessionMs } = login
  const refresh = newRefreshToken(tokens, sessionMs)
  await insertRefreshToken(tx, {
    accountId: account.id,
    ...refresh,
    appPasswordName: appPassword?.name ?? null,
  })
  return withTokens(tokens, host, account, { ...refresh, scope: scopeOf(appPassword) })
}

/** Returns a refresh token that is to be stored; `sessionMs` is how long the account's tenant lets a session rest. */
export function newRefreshToken(tokens: SessionTokens, sessionMs: number | null): RefreshToken {
  return { id: newTokenId(), expiresAt: tokens.refreshExpiry(sessionMs) }
}

/**
 * Exchanges a refresh token for the next pair. Within the grace the same old token always gets the same next refresh
 * token, whichever pods are asked and however often.
 *
 * @throws {ExpiredTokenError} if the token was used long ago, signed out or is from a deleted account.
 * @throws {AccountTakedownError} if the account is taken down or suspended.
 */
export async function refreshSession(
  deps: RefreshDeps,
  host: SessionHost,
  claims: RefreshClaims,
): Promise<Session> {
  const account = await deps.accounts.findByDid({ hostId: host.id, did: claims.did })
  if (account === undefined) throw new ExpiredTokenError('Token has been revoked')
  if (isBarred(account)) throw new AccountTakedownError()
  await deps.admit?.(account)
  const { passwordSessionMs } = await deps.policyOf(account)
  const next = await rotateRefreshToken(deps.db.pool, {
    accountId: account.id,
    id: claims.id,
    nextId: newTokenId(),
    nextExpiresAt: deps.tokens.refreshExpiry(passwordSessionMs),
    restMs: passwordSessionMs,
  })
  if (next === undefined) throw new ExpiredTokenError('Token has been revoked')
  const scope =
    next.appPasswordName === null ? 'com.atproto.access' : await appScopeOf(deps, account, claims.id)
  return withTokens(deps.tokens, host, account, { ...next, scope })
}

/** Scope of a session that an app password began; its refresh token tells which, and how old the session is. */
async function appScopeOf(
  { db, policyOf }: RefreshDeps,
  account: Account,
  tokenId: string,
): Promise<AccessScope> {
  const appPassword = await findAppPasswordOfSession(db.pool, { accountId: account.id, tokenId })
  const isGood = appPassword !== undefined && (await policyOf(account)).areAppPasswordsAllowed
  if (!isGood) throw new ExpiredTokenError('Token has been revoked')
  return scopeOf(appPassword)
}

function scopeOf(appPassword: AppPassword | undefined): AccessScope {
  if (appPassword === undefined) return 'com.atproto.access'
  return appPassword.privileged ? 'com.atproto.appPassPrivileged' : 'com.atproto.appPass'
}

/** Ends the session of a refresh token; one that is gone already is fine. */
export async function endSession(
  deps: Pick<SignInDeps, 'db'>,
  host: SessionHost,
  claims: RefreshClaims,
): Promise<void> {
  const account = await findAccountByDid(deps.db.pool, { hostId: host.id, did: claims.did })
  if (account !== undefined) await deleteRefreshToken(deps.db.pool, { accountId: account.id, id: claims.id })
}

/** Tells whether the account is kept from signing in. */
function isBarred(account: Account): boolean {
  return account.status === 'takendown' || account.status === 'suspended'
}

/** Tokens for what a taken-down account may do; its refresh token is stored nowhere and so never good. */
function takendownSession({ tokens }: SignInDeps, host: SessionHost, account: Account): Session {
  const refresh = { id: newTokenId(), expiresAt: tokens.refreshExpiry(null) }
  return withTokens(tokens, host, account, { ...refresh, scope: 'com.atproto.takendown' })
}

/** Returns the account's session with the tokens of a refresh token that is stored. */
export function withTokens(
  tokens: SessionTokens,
  host: SessionHost,
  account: Account,
  session: RefreshToken & { scope: AccessScope },
): Session {
  const { did, session_epoch: epoch } = account
  const { id, expiresAt, scope } = session
  return {
    account,
    accessJwt: tokens.issueAccess(host.serviceDid, { did, scope, epoch }),
    refreshJwt: tokens.issueRefresh(host.serviceDid, { did, id, expiresAt }),
  }
}

function normalizeIdentifier(identifier: string): string {
  const text = identifier.trim().replace(/^@/, '')
  // The rest of a DID after its method is compared as it is written.
  return text.startsWith('did:') ? text : text.toLowerCase()
}

function newTokenId(): string {
  return randomBytes(32).toString('base64')
}
