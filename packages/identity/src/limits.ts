import { hourMs, minuteMs, secondMs } from '@rookery/std'

/** How long a DID document, handle or PLC answer may take, in milliseconds. */
export const resolutionTimeoutMs = 5 * secondMs

/** Largest DID document or handle proof, in bytes: a document with a few keys has about 1 KiB. */
export const identityBytesMax = 64 * 1024

/** How long the PLC directory may take to accept an operation, in milliseconds. */
export const plcTimeoutMs = 15 * secondMs

/** Tries at an update whose `prev` another operation overtook. */
export const plcConflictTriesMax = 3

/** Most rotation keys of a DID that Rookery makes or signs for (SPEC §20 #5). */
export const rotationKeysMax = 5

/** How long a process answers from its own memory before it asks Redis again, in milliseconds. */
export const localCacheMs = 10 * secondMs

/** Identities that one process holds in its own memory; a document is about 1 KiB. */
export const localCacheEntriesMax = 5_000

/** Unwrapped signing keys that one process holds; one is about 500 bytes. */
export const unwrappedKeysMax = 20_000

/** How long an unwrapped key is used for what is no commit before its row is read again, in milliseconds. */
export const signingKeyFreshMs = 10 * secondMs

/** Secrets that are wrapped anew with one statement. */
export const rewrapBatch = 2_000

/** One of so many signatures is verified before it is used, after the first one which always is. */
export const verifiedSignatureEvery = 256

/** How long a reserved signing key waits for its account, in milliseconds. */
export const reservedKeyLifeMs = 24 * hourMs

/** Reserved keys that one host keeps at once, of those with a DID and of those without: anybody may ask for one. */
export const reservedKeysMax = 10_000

/** Life of a service token that names no other, and of one without a method, in milliseconds (SPEC SA-2). */
export const serviceTokenDefaultMs = minuteMs

/** Longest life of a service token, in milliseconds. */
export const serviceTokenMaxMs = hourMs

/** How long a token that was made for a proxied query is used again, in milliseconds: half of its life. */
export const serviceTokenReuseMs = serviceTokenDefaultMs / 2

/** Tokens of proxied queries that one process keeps; one is about 600 bytes. */
export const keptServiceTokensMax = 10_000

/** Longest service token that is looked at, in characters. */
export const serviceTokenLengthMax = 8_192

/** How far the clock of a service token's issuer may be ahead, in milliseconds. */
export const clockSkewMs = 30 * secondMs
