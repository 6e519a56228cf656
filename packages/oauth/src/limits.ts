import { dayMs, hourMs, minuteMs } from '@rookery/std'

/** Life of an access token, in milliseconds: below the 30 minutes that tokens may ever have (SPEC OA-24). */
export const accessTokenMs = 15 * minuteMs

/** How long a client's metadata and keys are kept, in milliseconds: a key that was withdrawn is good as long. */
export const clientCacheMs = 10 * minuteMs

/** How long a token's row is kept after its last refresh, in milliseconds: no client's refresh token lives longer. */
export const tokenKeepMs = 92 * dayMs

/** How long an exchanged refresh token is known, in milliseconds: so long a replay ends the session. */
export const usedTokenKeepMs = 30 * dayMs

/** How long a request is kept after its time, in milliseconds: so long its owner is told that it was too late. */
export const requestKeepMs = hourMs

/** How long a browser is signed in whose owner does not want to stay so, in milliseconds. */
export const briefSessionMs = hourMs

/** How long a browser that does not come back is remembered, in milliseconds. */
export const deviceKeepMs = 2 * 366 * dayMs

/** How long a nonce is remembered at most, in milliseconds: a challenge counts for a day, and a tenth of it more. */
export const nonceKeepMs = 1.1 * dayMs

/** Nonces that a process remembers by itself, of all hosts, for when Redis is away; each takes about 200 bytes. */
export const localNoncesMax = 100_000

/** Providers that a process keeps ready: one for each host that it was asked for. */
export const providersMax = 500

/** Rows that one clean-up deletes of each kind. */
export const cleanUpRows = 5_000
