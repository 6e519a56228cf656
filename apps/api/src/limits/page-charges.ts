import type { FastifyRequest } from 'fastify'

import { clientKey } from './client-key.ts'
import {
  accountMailCharges,
  deletionCharges,
  digest,
  handleCharges,
  mailedCodeCharges,
  resetCharges,
  signInCharges,
} from './method-charges.ts'
import type { Charge } from './rate-limiter.ts'

/** Fields of a body, of which nothing is known yet. */
export type UncheckedInput = Readonly<Record<string, unknown>>

type Charges = (ip: string, input: UncheckedInput) => Charge[]

/** What the pages' own script calls lies here. */
export const pageApi = '/@atproto/oauth-provider/~api/'

/**
 * What each endpoint of the authorization server takes besides the points that every request takes. What does the same
 * as an XRPC method takes points of the same buckets. Nobody has proven anything when points are taken: those of an
 * account are an address's for the account, so that nobody can use them up for its owner.
 */
const charges: Readonly<Record<string, Charges>> = {
  '/oauth/par': (ip) => [{ bucket: 'oauth-push-ip', key: ip }],
  '/oauth/token': failures,
  '/oauth/revoke': failures,
  [`${pageApi}sign-in`]: (ip, { username }) => signInCharges(ip, username),
  [`${pageApi}sign-up`]: (ip) => [{ bucket: 'create-account-ip', key: ip }],
  [`${pageApi}verify-handle-availability`]: (ip) => [{ bucket: 'resolve-ip', key: ip }],
  [`${pageApi}reset-password-request`]: (ip, { email }) => resetCharges(ip, email),
  [`${pageApi}reset-password-confirm`]: (ip) => [{ bucket: 'reset-password-ip', key: ip }],
  [`${pageApi}update-email-request`]: mails('update'),
  [`${pageApi}verify-email-request`]: mails('confirm'),
  [`${pageApi}delete-account-request`]: mails('delete'),
  [`${pageApi}update-email-confirm`]: codes,
  [`${pageApi}verify-email-confirm`]: codes,
  [`${pageApi}delete-account-confirm`]: (ip, { did }) => deletionCharges(ip, did),
  [`${pageApi}update-handle`]: (ip, { did }) => handleCharges(keyOf(ip, did)),
}

/** Returns what a request to the authorization server or its pages takes. */
export function pageCharges(request: FastifyRequest, input: UncheckedInput): Charge[] {
  const [path = ''] = request.url.split('?', 1)
  return charges[path]?.(clientKey(request.ip), input) ?? []
}

function failures(ip: string): Charge[] {
  return [{ bucket: 'oauth-failed-ip', key: ip, isForFailures: true }]
}

function mails(kind: string): Charges {
  return (ip, { did }) => accountMailCharges(kind, keyOf(ip, did))
}

function codes(ip: string, { did }: UncheckedInput): Charge[] {
  return mailedCodeCharges(ip, did)
}

function keyOf(ip: string, did: unknown): string {
  return `${digest(did)}:${ip}`
}
