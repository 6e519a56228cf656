import { hash } from 'node:crypto'

import type { RateBucket } from '@rookery/config'
import type { XrpcCall } from '@rookery/http'

import { clientKey } from './client-key.ts'
import type { Charge } from './rate-limiter.ts'

// oxlint-disable-next-line typescript/no-explicit-any
type Call = XrpcCall<any, any, any>
type Charges = (call: Call) => Charge[]

const createPoints = 3
const updatePoints = 2
const deletePoints = 1

/** What each method takes besides the points that every request takes. A method that is not here takes no more. */
export const methodCharges: Readonly<Record<string, Charges>> = {
  'com.atproto.identity.requestPlcOperationSignature': (call) => mailCharges(call, 'plc'),
  'com.atproto.identity.resolveDid': byAddress('resolve-ip'),
  'com.atproto.identity.resolveHandle': byAddress('resolve-ip'),
  'com.atproto.identity.resolveIdentity': byAddress('resolve-ip'),
  'com.atproto.identity.updateHandle': byAccount('update-handle', 'update-handle-day'),
  'com.atproto.repo.applyWrites': (call) => writeCharges(call, pointsOf(call.input.writes)),
  'com.atproto.repo.createRecord': (call) => writeCharges(call, createPoints),
  'com.atproto.repo.deleteRecord': (call) => writeCharges(call, deletePoints),
  'com.atproto.repo.importRepo': byAccount('import-repo-day'),
  'com.atproto.repo.putRecord': (call) => writeCharges(call, updatePoints),
  'com.atproto.repo.uploadBlob': byAccount('upload-blob-day'),
  'com.atproto.server.createAccount': byAddress('create-account-ip'),
  'com.atproto.server.createSession': (call) => signInCharges(addressOf(call), call.input.identifier),
  'com.atproto.server.deleteAccount': (call) => deletionCharges(addressOf(call), call.input.did),
  'com.atproto.server.getServiceAuth': byAccount('service-auth'),
  'com.atproto.server.requestAccountDelete': (call) => mailCharges(call, 'delete'),
  'com.atproto.server.requestEmailConfirmation': (call) => mailCharges(call, 'confirm'),
  'com.atproto.server.requestEmailUpdate': (call) => mailCharges(call, 'update'),
  'com.atproto.server.requestPasswordReset': (call) => resetCharges(addressOf(call), call.input.email),
  'com.atproto.server.reserveSigningKey': byAddress('reserve-key-ip'),
  'com.atproto.server.resetPassword': byAddress('reset-password-ip'),
}

/** The account that a call comes from, if a session proved one. */
export function callerOf({ auth }: Call): string | undefined {
  return auth?.account?.did ?? auth?.did
}

function byAddress(...buckets: RateBucket[]): Charges {
  return (call) => buckets.map((bucket) => ({ bucket, key: addressOf(call) }))
}

function byAccount(...buckets: RateBucket[]): Charges {
  return (call) => buckets.map((bucket) => ({ bucket, key: callerOf(call) ?? addressOf(call) }))
}

function addressOf({ request }: Call): string {
  return clientKey(request.ip)
}

function writeCharges(call: Call, points: number): Charge[] {
  const key = callerOf(call) ?? addressOf(call)
  return [
    { bucket: 'repo-write-hour', key, points },
    { bucket: 'repo-write-day', key, points },
  ]
}

function pointsOf(writes: readonly { $type: string }[]): number {
  return writes.reduce((sum, { $type }) => {
    if ($type.endsWith('#create')) return sum + createPoints
    return sum + ($type.endsWith('#update') ? updatePoints : deletePoints)
  }, 0)
}

/** Attempts to sign in, by whatever way: by identifier and address together, so that nobody shuts another out. */
export function signInCharges(ip: string, identifier: unknown): Charge[] {
  const key = `${digest(identifier)}:${ip}`
  return [
    { bucket: 'sign-in', key },
    { bucket: 'sign-in-day', key },
    { bucket: 'sign-in-failed-ip', key: ip, isForFailures: true },
    { bucket: 'sign-in-failed-ip-day', key: ip, isForFailures: true },
  ]
}

/**
 * Attempts to sign in with a browser that the account is known to sign in with: whoever tries passwords from the same
 * address uses none of its points up.
 */
export function knownBrowserCharges(deviceId: string, identifier: unknown): Charge[] {
  const key = `${digest(identifier)}:${deviceId}`
  return [
    { bucket: 'sign-in', key },
    { bucket: 'sign-in-day', key },
  ]
}

/** Mails with which a password can be changed. */
export function resetCharges(ip: string, address: unknown): Charge[] {
  const email = digest(address)
  return [
    { bucket: 'request-reset-ip', key: ip },
    { bucket: 'request-reset-ip-day', key: ip },
    { bucket: 'request-reset', key: email },
    { bucket: 'request-reset-day', key: email },
  ]
}

/** Attempts to end an account. */
export function deletionCharges(ip: string, did: unknown): Charge[] {
  return [
    { bucket: 'delete-account-ip', key: ip },
    { bucket: 'delete-account', key: digest(did) },
  ]
}

function mailCharges(call: Call, kind: string): Charge[] {
  return accountMailCharges(kind, String(callerOf(call)))
}

/** Mails of a kind that an account asks for, of which it is known that it does. */
export function accountMailCharges(kind: string, did: string): Charge[] {
  const key = `${kind}:${did}`
  return [
    { bucket: 'request-mail', key },
    { bucket: 'request-mail-day', key },
  ]
}

/** Attempts to guess a code that was mailed. */
export function mailedCodeCharges(ip: string, did: unknown): Charge[] {
  return [{ bucket: 'mailed-code', key: `${digest(did)}:${ip}` }]
}

/** Changes of an account's handle. */
export function handleCharges(key: string): Charge[] {
  return [
    { bucket: 'update-handle', key },
    { bucket: 'update-handle-day', key },
  ]
}

/** Text of anybody's choice, in whatever case, as a short key that shows no personal data. */
export function digest(text: unknown): string {
  return hash('sha256', String(text).trim().toLowerCase(), 'base64url').slice(0, 22)
}
