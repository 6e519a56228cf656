import type { OAuthProvider } from '@atproto/oauth-provider/provider'
import type { DeviceAccount, DeviceId } from '@atproto/oauth-provider/store'
import type { Account, AccountReader } from '@rookery/accounts'
import { XrpcError, invalidRequest } from '@rookery/http'
import { minuteMs } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { prepareForProvider } from '../oauth/provider-request.ts'
import type { OAuthProviders } from '../oauth/providers.ts'
import { type Look, lookOf } from './look.ts'
import type { SignedState } from './signed-state.ts'

/** How long after a sign-in what is dangerous may be done without another, in milliseconds. */
const recentSignInMs = 15 * minuteMs

export type VisitDeps = {
  oauth: OAuthProviders
  accounts: Pick<AccountReader, 'findByDid'>
  directory: HostDirectory
  signedState: SignedState
}

/** A request for a page of ours, and what is known of its browser: the provider's pages know the same browser. */
export type Visit = {
  provider: OAuthProvider
  deviceId: DeviceId
  /** Goes into every form: another site cannot know it. */
  csrf: string
  look: Look
}

/** Who is signed in with the browser of a visit. */
export type SignedIn = Visit & {
  account: Account
  /** Whether the owner proved to be there within the last minutes. */
  isRecent: boolean
}

/**
 * Returns the visit that a request is; a browser that comes for the first time gets its cookies. With `isNew` it gets
 * other ones, as it must where somebody signs in.
 */
export async function visitOf(
  deps: VisitDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  { isNew = false }: { isNew?: boolean } = {},
): Promise<Visit> {
  const { raw, pdsHost } = request
  const provider = await deps.oauth.get(pdsHost)
  prepareForProvider(provider, { request, reply })
  const { deviceId } = await provider.deviceManager.load(raw, reply.raw, isNew)
  const look = await lookOf(deps, request, reply)
  return { provider, deviceId, csrf: deps.signedState.mark('form', String(pdsHost.id), deviceId), look }
}

/** Returns the accounts that are signed in with the browser of a visit, the one that signed in last first. */
export async function signedInAccounts(visit: Visit): Promise<DeviceAccount[]> {
  const all: DeviceAccount[] = await visit.provider.accountManager.listDeviceAccounts(visit.deviceId)
  return all
    .filter((one) => !visit.provider.checkLoginRequired(one))
    .toSorted((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime())
}

/**
 * Returns who is signed in: the account that is asked for, else the one that signed in last; undefined if nobody is.
 */
export async function signedInOf(
  deps: VisitDeps,
  request: FastifyRequest,
  visit: Visit,
  did: unknown,
): Promise<SignedIn | undefined> {
  const known = await signedInAccounts(visit)
  const chosen = did === undefined ? known[0] : known.find((one) => one.account.did === did)
  if (chosen === undefined) return undefined
  const account = await deps.accounts.findByDid({ hostId: request.pdsHost.id, did: chosen.account.did })
  if (account === undefined) return undefined
  return { ...visit, account, isRecent: chosen.updatedAt.getTime() > Date.now() - recentSignInMs }
}

/**
 * Returns what a form of ours sent.
 *
 * @throws {XrpcError} if it is of another site, or of another browser.
 */
export function formOf(
  deps: VisitDeps,
  request: FastifyRequest,
  visit: Visit,
): Readonly<Record<string, string | undefined>> {
  const form = request.body instanceof URLSearchParams ? Object.fromEntries(request.body) : {}
  const { origin } = request.headers
  const isOurs = origin === new URL(request.pdsHost.publicUrl).origin
  const { csrf = '' } = form
  if (!isOurs || !deps.signedState.isMark(csrf, 'form', String(request.pdsHost.id), visit.deviceId)) {
    throw new XrpcError(
      403,
      'Forbidden',
      'This form is not from here, or was open too long. Go back and try again.',
    )
  }
  return form
}

/**
 * Returns the field of a form.
 *
 * @throws {XrpcError} if it is missing or empty.
 */
export function fieldOf(form: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = form[name]
  if (value === undefined || value === '') throw invalidRequest(`${name} is missing`)
  return value
}
