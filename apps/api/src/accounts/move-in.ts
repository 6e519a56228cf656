import { type Account, announceIdentity, endSessions } from '@rookery/accounts'
import type { PdsHost } from '@rookery/http'
import { XrpcError, invalidRequest } from '@rookery/http'
import {
  type AtprotoData,
  type SubmittedOperation,
  assertOperationKeepsAccount,
  atprotoData,
  isPlcDid,
  recommendedCredentials,
} from '@rookery/identity'
import {
  OldAccount,
  type OldAccountDeps,
  type OldSession,
  beginMove,
  callOldServer,
  deleteMove,
  signInToOldServer,
} from '@rookery/moves'
import { invalidHandle, parseHandle } from '@rookery/syntax'
import type { FastifyRequest } from 'fastify'

import { type ServiceAuthDeps, verifyService } from '../auth/service.ts'
import { type ActivateDeps, activate } from './activate.ts'
import { type SignUpDeps, signUp } from './sign-up.ts'

export type MoveInDeps = OldAccountDeps &
  SignUpDeps &
  ServiceAuthDeps &
  ActivateDeps & { /** Tells the workers of a committed job. */ wakeWorkers: () => void }

/** Where an account lives now. */
export type OldHome = Pick<AtprotoData, 'did' | 'handle'> & { pdsUrl: string }

const createAccount = 'com.atproto.server.createAccount'

/**
 * Returns where the account of a handle or DID lives, as its document says now.
 *
 * @throws {XrpcError} 400 if it is nobody's, lives nowhere, or lives here.
 * @throws what the resolution of identities throws.
 */
export async function findOldHome(
  { identities }: Pick<MoveInDeps, 'identities'>,
  host: PdsHost,
  name: string,
): Promise<OldHome> {
  const did = name.startsWith('did:')
    ? name
    : await identities.resolveHandle(parseHandle(name), { refresh: true })
  if (did === undefined) throw new XrpcError(400, 'HandleNotFound', 'Nobody has this handle')
  const { handle, pdsUrl } = atprotoData(await identities.resolveDid(did, { refresh: true }))
  if (pdsUrl === undefined) throw new XrpcError(400, 'NoServer', 'This account has no server')
  if (pdsUrl === host.publicUrl)
    throw new XrpcError(400, 'AlreadyHere', 'This account is here already: sign in')
  return { did, handle, pdsUrl }
}

/** What somebody fills in to have an account moved here. */
export type MoveIn = {
  home: OldHome
  /** The password at the old server: used for this one sign-in, and kept nowhere. */
  oldPassword: string
  /** The code that the old server may want besides. */
  oldCode: string | undefined
  handle: string
  email: string
  password: string
  inviteCode: string | undefined
}

/**
 * Makes the account here, deactivated, by the word of its old server that the owner wants that, and has a worker fetch
 * what it has there.
 *
 * @throws whatever signing in there, `verifyService` and `signUp` throw.
 */
export async function moveIn(deps: MoveInDeps, request: FastifyRequest, input: MoveIn): Promise<Account> {
  const { home, oldPassword, oldCode, handle, email, password, inviteCode } = input
  const { did, pdsUrl } = home
  const session = await signInToOldServer(deps, { pdsUrl, did, password: oldPassword, code: oldCode })
  await assertOwner(deps, request, session)
  const { pdsHost: host } = request
  const { account } = await signUp(deps, host, { did, handle, email, password, inviteCode })
  // The session of the older kind that comes with an account is nobody's here.
  await endSessions(deps.db.pool, account.id)
  await beginMove(deps, account, session)
  deps.wakeWorkers()
  return account
}

/** Has a worker fetch again what an account that is here, deactivated, has at its old server. */
export async function moveInAgain(
  deps: MoveInDeps,
  account: Account,
  { home, oldPassword, oldCode }: Pick<MoveIn, 'home' | 'oldPassword' | 'oldCode'>,
): Promise<void> {
  if (account.status !== 'deactivated') throw new XrpcError(400, 'AlreadyHere', 'This account is active here')
  const { did } = account
  const session = await signInToOldServer(deps, {
    pdsUrl: home.pdsUrl,
    did,
    password: oldPassword,
    code: oldCode,
  })
  await beginMove(deps, account, session)
  deps.wakeWorkers()
}

/** The old server proves that the DID's owner wants an account here, as for any app that moves accounts. */
async function assertOwner(deps: MoveInDeps, request: FastifyRequest, session: OldSession): Promise<void> {
  const params = { aud: request.pdsHost.serviceDid, lxm: createAccount }
  const answer = await callOldServer(deps, session.pdsUrl, {
    nsid: 'com.atproto.server.getServiceAuth',
    params,
    token: session.accessJwt,
  })
  const token = (answer as { token?: unknown } | null)?.token
  const proven = await verifyService(deps, { method: createAccount }, request, String(token))
  if (proven.did !== session.did)
    throw new XrpcError(401, 'BadJwt', 'The old server did not prove the account')
}

/** Has the old server mail the code with which the account's identity can be changed. */
export async function requestOldCode(deps: OldAccountDeps, account: Account): Promise<void> {
  const old = await OldAccount.open(deps, account)
  await old.call({ nsid: 'com.atproto.identity.requestPlcOperationSignature', input: null })
}

/**
 * Points the account's DID here, activates it, and deactivates it at the old server. Each step finds done what an
 * earlier attempt did. A did:web is its owner's to change before.
 *
 * @throws {OldServerRefusedError} if the code is wrong.
 * @throws what `assertOperationKeepsAccount`, the PLC directory and `activate` throw.
 */
export async function finishMove(
  deps: MoveInDeps,
  host: PdsHost,
  account: Account,
  code: string | undefined,
): Promise<void> {
  const old = await OldAccount.open(deps, account)
  if (isPlcDid(account.did) && !(await isPointedHere(deps, host, account))) {
    if (code === undefined || code === '')
      throw new XrpcError(400, 'MailedCodeMissing', 'Enter the code that your old server mailed')
    await pointHere(deps, host, { account, old, code })
  }
  if (account.status === 'deactivated') await activate(deps, host, account)
  // At home here already: an old server that is gone, or that did it by itself, must not keep the move from ending.
  await old.call({ nsid: 'com.atproto.server.deactivateAccount', input: {} }).catch((error: unknown) => {
    deps.log.info({ err: error, account: account.did }, 'the old server did not deactivate the account')
  })
  await deleteMove(deps.db.pool, account.id)
}

async function isPointedHere({ identities }: MoveInDeps, host: PdsHost, { did }: Account): Promise<boolean> {
  return atprotoData(await identities.resolveDid(did, { refresh: true })).pdsUrl === host.publicUrl
}

async function pointHere(
  deps: MoveInDeps,
  host: PdsHost,
  { account, old, code }: { account: Account; old: OldAccount; code: string },
): Promise<void> {
  const { didKey: signingKey } = await deps.signingKeys.signerFor(account)
  const own = { did: account.did, signingKey, pdsUrl: host.publicUrl, handle: account.handle }
  const wanted = recommendedCredentials(deps.plc, { ...own, handle: account.handle ?? invalidHandle })
  const input = { token: code, ...wanted }
  const answer = await old.call({ nsid: 'com.atproto.identity.signPlcOperation', input })
  const operation = (answer as { operation?: SubmittedOperation } | null)?.operation
  if (operation === undefined) throw invalidRequest('The old server signed nothing')
  assertOperationKeepsAccount(operation, { plc: deps.plc, ...own })
  await deps.plc.submit(account.did, operation)
  await deps.identities.forget({ did: account.did })
  await announceIdentity(deps, account)
}
