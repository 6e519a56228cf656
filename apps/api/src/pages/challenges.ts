import { hash, randomBytes } from 'node:crypto'

import { type PasskeyHost, insertUsedChallenge } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { PdsHost } from '@rookery/http'
import { minuteMs } from '@rookery/std'

import type { SignedState } from './signed-state.ts'

/** How long a browser may take to answer a challenge, in milliseconds. */
const challengeMs = 10 * minuteMs

type Deps = { db: Pick<Database, 'pool'>; signedState: SignedState }

/** Whom a challenge is for: a browser at a host, for one purpose. */
export type ChallengeUse = { host: PdsHost; deviceId: string; purpose: 'passkey-create' | 'passkey-use' }

/** The host as passkeys know it. */
export function passkeyHostOf({ id, publicUrl }: PdsHost): PasskeyHost {
  const { origin, hostname } = new URL(publicUrl)
  return { id, rpId: hostname, origin }
}

/** Returns a challenge. It is signed, so that nothing is stored before it is answered. */
export function newChallenge({ signedState }: Deps, use: ChallengeUse): string {
  const nonce = randomBytes(16).toString('base64url')
  const until = String(Date.now() + challengeMs)
  return [nonce, until, signedState.mark(...partsOf(use, nonce, until))].join('.')
}

/** Tells whether a challenge is one of ours for this use, in time, and the first answer to it. */
export async function useChallenge(
  { db, signedState }: Deps,
  use: ChallengeUse,
  challenge: string,
): Promise<boolean> {
  const [nonce = '', until = '', mark = ''] = challenge.split('.')
  if (!signedState.isMark(mark, ...partsOf(use, nonce, until)) || Number(until) < Date.now()) return false
  return insertUsedChallenge(db.pool, {
    hostId: use.host.id,
    hash: hash('sha256', challenge, 'buffer'),
    expiresAt: new Date(Number(until)),
  })
}

function partsOf(
  { host, deviceId, purpose }: ChallengeUse,
  nonce: string,
  until: string,
): [string, ...string[]] {
  return [purpose, String(host.id), deviceId, nonce, until]
}
