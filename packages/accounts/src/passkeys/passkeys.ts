import { hash } from 'node:crypto'

import type { Database, Queryable } from '@rookery/db'
import { inTransaction } from '@rookery/db'
import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'

import { findAccountById, lockAccount } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { InvalidPasskeyError } from '../errors.ts'
import { passkeyNameLengthMax, passkeysMax } from '../limits.ts'
import {
  deletePasskey,
  findPasskey,
  insertPasskey,
  listPasskeys,
  updatePasskeyUse,
} from './passkey-queries.ts'

// EdDSA, ES256 and RS256 (COSE): what authenticators have.
const supportedAlgorithmIDs = [-8, -7, -257]

/** Whom passkeys are for: a host. */
export type PasskeyHost = {
  /** Its row id. */
  id: number
  /** Its name without port. */
  rpId: string
  origin: string
}

/** What a browser sent, as text of JSON, and how the challenge that it answers is known. */
export type PasskeyAnswer = {
  credential: string
  /** Tells whether the challenge, as it was given, is ours and was not answered before. */
  useChallenge: (challenge: string) => Promise<boolean>
}

type Deps = {
  db: Pick<Database, 'pool'>
  /** Tells the owner, in the transaction that changes the passkeys. */
  announce: (tx: Queryable, account: Account) => Promise<void>
}

/** Returns what a browser makes a passkey for the account with; one for each device that has none. */
export async function passkeyCreation(
  db: Queryable,
  host: PasskeyHost,
  { account, challenge }: { account: Account; challenge: string },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const passkeys = await listPasskeys(db, account.id)
  const name = account.handle ?? account.did
  return generateRegistrationOptions({
    rpName: host.rpId,
    rpID: host.rpId,
    userID: new Uint8Array(hash('sha256', account.did, 'buffer')),
    userName: name,
    userDisplayName: name,
    challenge,
    supportedAlgorithmIDs,
    excludeCredentials: passkeys.map(({ credentialId }) => ({ id: credentialId })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
}

/** Returns what a browser signs in with, by whatever passkey its owner chooses. */
export function passkeyRequest(
  host: PasskeyHost,
  challenge: string,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({ rpID: host.rpId, challenge, userVerification: 'required' })
}

/**
 * Adds a passkey that a browser made.
 *
 * @throws {InvalidPasskeyError} if it is none for this host and challenge, is there already, or is one too many.
 */
export async function addPasskey(
  deps: Deps,
  host: PasskeyHost,
  { account, name, answer }: { account: Account; name: string; answer: PasskeyAnswer },
): Promise<void> {
  const response = parseCredential(answer.credential) as RegistrationResponseJSON
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response,
    expectedChallenge: (challenge) => answer.useChallenge(textOf(challenge)),
    expectedOrigin: host.origin,
    expectedRPID: host.rpId,
    supportedAlgorithmIDs,
  }).catch(refuse)
  if (!verified) throw new InvalidPasskeyError()
  const { id, publicKey, counter, transports = [] } = registrationInfo.credential
  await inTransaction(deps.db.pool, async (tx) => {
    await lockAccount(tx, account.id)
    if ((await listPasskeys(tx, account.id)).length >= passkeysMax) {
      throw new InvalidPasskeyError(`Too many passkeys. Max: ${passkeysMax}`)
    }
    const isNew = await insertPasskey(tx, {
      account_id: account.id,
      host_id: host.id,
      credential_id: id,
      public_key: Buffer.from(publicKey),
      counter,
      transports,
      name: name.trim().slice(0, passkeyNameLengthMax),
    })
    if (!isNew) throw new InvalidPasskeyError('This passkey is there already')
    await deps.announce(tx, account)
  })
}

/**
 * Returns the account whose owner signed with a passkey, which is all that is asked for: the device is theirs, and knows
 * them.
 *
 * @throws {InvalidPasskeyError} if it is nobody's on the host, or what it signed is not the challenge.
 */
export async function signInWithPasskey(
  { db }: { db: Pick<Database, 'pool'> },
  host: PasskeyHost,
  answer: PasskeyAnswer,
): Promise<Account> {
  const response = parseCredential(answer.credential) as AuthenticationResponseJSON
  const passkey = await findPasskey(db.pool, host.id, response.id)
  if (passkey === undefined) throw new InvalidPasskeyError()
  const { credential_id: credentialId, account_id: accountId, public_key, counter } = passkey
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response,
    expectedChallenge: (challenge) => answer.useChallenge(textOf(challenge)),
    expectedOrigin: host.origin,
    expectedRPID: host.rpId,
    credential: { id: credentialId, publicKey: new Uint8Array(public_key), counter },
  }).catch(refuse)
  if (!verified) throw new InvalidPasskeyError()
  const use = { accountId, credentialId, counter: authenticationInfo.newCounter }
  if (!(await updatePasskeyUse(db.pool, use))) throw new InvalidPasskeyError()
  const account = await findAccountById(db.pool, accountId)
  if (account === undefined) throw new InvalidPasskeyError()
  return account
}

/** Takes a passkey away; one that is not there is fine. */
export async function removePasskey(deps: Deps, account: Account, credentialId: string): Promise<void> {
  await inTransaction(deps.db.pool, async (tx) => {
    if (await deletePasskey(tx, account.id, credentialId)) await deps.announce(tx, account)
  })
}

function parseCredential(text: string): { id: string } {
  try {
    const value = JSON.parse(text) as { id?: unknown } | null
    if (typeof value?.id === 'string') return { ...value, id: value.id }
  } catch {
    // Answered like all else that is no credential.
  }
  throw new InvalidPasskeyError()
}

/** The library throws for whatever is wrong with what a browser sent. */
function refuse(error: unknown): never {
  throw new InvalidPasskeyError(undefined, { cause: error })
}

/** A challenge as it was given; browsers send it back in base64url. */
function textOf(challenge: string): string {
  return Buffer.from(challenge, 'base64url').toString()
}
