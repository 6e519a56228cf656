import { type AccountStatus, type Database, type Queryable, inTransaction } from '@rookery/db'
import type { Logger } from '@rookery/telemetry'
import { businessEvent } from '@rookery/telemetry'

import { accountFrame, identityFrame } from '../account-events.ts'
import { findTaken } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { HandleNotAvailableError, SignUpExpiredError } from '../errors.ts'
import { consumeInviteUse, reserveInviteUse } from '../invites/invite-queries.ts'
import { unclaimedImportMs } from '../limits.ts'
import type { SessionTokens } from '../sessions/session-tokens.ts'
import { type Session, type SessionHost, newRefreshToken, withTokens } from '../sessions/sessions.ts'
import { type Claim, deleteClaim, findClaimed, insertClaim } from './claim-queries.ts'
import { insertAccount } from './insert-queries.ts'
import { takenError, toTakenError } from './taken.ts'

/** The DID and signing key of an account that is about to exist. */
export type NewIdentity = {
  did: string
  /** What the first commit is signed with. */
  signer: { readonly didKey: string; sign(bytes: Uint8Array): Uint8Array }
  /** Stores the wrapped signing key. */
  storeSigningKey: (tx: Queryable, accountId: number) => Promise<void>
  /** Registers the DID; only for one that is made with the account. */
  register?: () => Promise<void>
  /** Tombstones the DID that `register` made. */
  unregister?: () => Promise<void>
}

/** A repo that is to begin. */
export type NewRepo = {
  account: Account
  status: AccountStatus
  signer: NewIdentity['signer']
  /** Rev of the last commit that this host had of the DID, if it had one: the new one is above it. */
  revAbove: string | undefined
}

export type CreateAccountDeps = {
  db: Pick<Database, 'pool'>
  log: Logger
  tokens: SessionTokens
  /** Stores the empty first commit and, of an active repo, appends its #commit event. */
  createRepo: (tx: Queryable, repo: NewRepo) => Promise<void>
}

export type CreateAccountInput = {
  host: SessionHost
  tenantId: number
  identity: NewIdentity
  /** Checked against the rules of its domain, in lower case. */
  handle: string
  /** Checked, in lower case. */
  email: string | null
  passwordHash: string | null
  inviteCode: string | null
  /** The network that the account is known to sign in from then on. Default none. */
  deviceId?: string | undefined
  /** How long the first session may rest, in milliseconds. Default: as long as the cluster lets it. */
  sessionMs?: number | null
}

/**
 * Creates an account with its repo and first session.
 *
 * The names are claimed first: of many sign-ups for one handle exactly one goes on to make a DID. The directory is then
 * asked with no transaction open, and everything else is one transaction, which also
 * gives the claim up. A DID that was registered is tombstoned if that transaction fails; a process that dies in
 * between leaves a claim that is void after two minutes.
 *
 * An account with a new DID is active, and its events are #identity, #account, #commit. One that comes from
 * elsewhere starts deactivated, without events, and goes away if it is not activated in time.
 *
 * @throws {HandleNotAvailableError} if somebody has the handle.
 * @throws {EmailNotAvailableError} if an account of the host has the address.
 * @throws {DidNotAvailableError} if the host has an account of the DID.
 * @throws {InvalidInviteCodeError} if an invite code is given and has no use left.
 * @throws {SignUpExpiredError} if the directory took so long that the claim was void.
 */
export async function createAccount(deps: CreateAccountDeps, input: CreateAccountInput): Promise<Session> {
  const { identity } = input
  const claim: Claim = {
    hostId: input.host.id,
    did: identity.did,
    handle: input.handle,
    email: input.email,
    inviteCode: input.inviteCode,
  }
  await claimNames(deps, claim, input.tenantId)
  let isRegistered = false
  try {
    await identity.register?.()
    isRegistered = identity.register !== undefined
    const session = await inTransaction(deps.db.pool, (tx) => insertEverything(deps, tx, input, claim))
    const { tenantId: tenant, host } = input
    businessEvent(isRegistered ? 'accountCreated' : 'accountArrived', {
      host: host.serviceDid,
      tenant,
      account: identity.did,
    })
    return session
  } catch (error) {
    const isVoid = error instanceof SignUpExpiredError
    await undo(deps, claim, { isVoid, registered: isRegistered ? identity : undefined })
    throw toTakenError(error, input.handle)
  }
}

async function claimNames(deps: CreateAccountDeps, claim: Claim, tenantId: number): Promise<void> {
  const { hostId, inviteCode } = claim
  const { pool } = deps.db
  if (inviteCode !== null) {
    await inTransaction(pool, async (tx) => {
      await reserveInviteUse(tx, { hostId, tenantId, code: inviteCode })
      await takeNames(tx, claim)
      await assertFree(tx, claim)
    })
    return
  }
  await takeNames(pool, claim)
  try {
    await assertFree(pool, claim)
  } catch (error) {
    await undo(deps, claim, { isVoid: false, registered: undefined })
    throw error
  }
}

async function takeNames(tx: Queryable, claim: Claim): Promise<void> {
  if (await insertClaim(tx, claim)) return
  const claimed = await findClaimed(tx, claim)
  throw (
    takenError(claimed, claim.handle) ?? new HandleNotAvailableError(`Handle already taken: ${claim.handle}`)
  )
}

/** Asked once the names are claimed: an account that was being made with them is there by then. */
async function assertFree(tx: Queryable, claim: Claim): Promise<void> {
  const taken = takenError(await findTaken(tx, claim.hostId, claim), claim.handle)
  if (taken !== undefined) throw taken
}

async function insertEverything(
  deps: CreateAccountDeps,
  tx: Queryable,
  input: CreateAccountInput,
  claim: Claim,
): Promise<Session> {
  const { host, identity } = input
  const isNew = identity.register !== undefined
  const refreshToken = newRefreshToken(deps.tokens, input.sessionMs ?? null)
  const made = await insertAccount(tx, claim, {
    tenantId: input.tenantId,
    passwordHash: input.passwordHash,
    deactivatedAt: isNew ? null : new Date(),
    deleteAfter: isNew ? null : new Date(Date.now() + unclaimedImportMs),
    refreshToken,
    deviceId: input.deviceId ?? null,
    events: isNew
      ? [
          { kind: 'identity', frame: identityFrame(claim) },
          { kind: 'account', frame: accountFrame(claim.did) },
        ]
      : [],
  })
  if (made === undefined) throw new SignUpExpiredError()
  const { account, lastRev: revAbove } = made
  await identity.storeSigningKey(tx, account.id)
  if (input.inviteCode !== null) {
    const { tenantId, inviteCode } = input
    await consumeInviteUse(tx, { hostId: host.id, tenantId, code: inviteCode, usedBy: identity.did })
  }
  await deps.createRepo(tx, { account, status: account.status, signer: identity.signer, revAbove })
  return withTokens(deps.tokens, host, account, { ...refreshToken, scope: 'com.atproto.access' })
}

/**
 * Leaves nothing behind. What fails here is logged: the caller's error says more about what went wrong.
 *
 * The claim goes in the transaction that makes the account. While it is still there the account is not, whatever
 * the error was; when the connection broke during the commit, only that tells whether the DID is in use.
 */
async function undo(
  deps: CreateAccountDeps,
  claim: Claim,
  state: { isVoid: boolean; registered: NewIdentity | undefined },
): Promise<void> {
  try {
    const isUnused = (await deleteClaim(deps.db.pool, claim)) || state.isVoid
    if (isUnused) await state.registered?.unregister?.()
  } catch (error) {
    const context = { did: claim.did, handle: claim.handle, err: error }
    deps.log.error(context, 'what a failed sign-up made could not be removed')
  }
}
