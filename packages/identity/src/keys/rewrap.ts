import type { Queryable } from '@rookery/db'

import { keySigner } from '../crypto/signer.ts'
import { UnwrapFailedError } from '../errors.ts'
import { rewrapBatch } from '../limits.ts'
import type { KeyWrapper } from './key-wrapper.ts'
import {
  type WrappedColumn,
  type WrappedSecret,
  countByWrappingKey,
  listOtherwiseWrapped,
  replaceWrapped,
  wrappedColumns,
} from './rewrap-queries.ts'

/** How many secrets of a kind are wrapped under a key. */
export type WrappedCount = {
  secrets: string
  keyId: string
  /** `current` wraps, `previous` is configured, `unknown` is not: its secrets cannot be used. */
  key: 'current' | 'previous' | 'unknown'
  count: number
}

/** What a rewrap has done. */
export type Rewrapped = {
  rewrapped: number
  /** Secrets that do not unwrap, or are not the key whose public key is stored; they stay as they are. */
  failed: { secrets: string; row: string; error: string }[]
}

/** Returns how many secrets of each kind are wrapped under which key. */
export async function countWrapped(db: Queryable, wrapper: KeyWrapper): Promise<WrappedCount[]> {
  const counts = []
  for (const of of wrappedColumns) {
    for (const { key_id: keyId, count } of await countByWrappingKey(db, of)) {
      counts.push({ secrets: of.name, keyId, key: wrapper.standingOf(keyId), count })
    }
  }
  return counts
}

/**
 * Wraps anew, in batches, every secret that the current key does not wrap. Safe while processes serve, to break off and
 * to run again: each secret is unwrapped, compared with its public key, wrapped and unwrapped once more before it
 * takes the place of what it came from.
 *
 * @param options.isDryRun checks everything and stores nothing.
 * @param options.onProgress is told how many were looked at.
 */
export async function rewrapSecrets(
  db: Queryable,
  wrapper: KeyWrapper,
  options: { isDryRun: boolean; onProgress: (seen: number) => void },
): Promise<Rewrapped> {
  const result: Rewrapped = { rewrapped: 0, failed: [] }
  let seen = 0
  for (const of of wrappedColumns) {
    for (let above = '', more = true; more;) {
      const page = { currentKeyId: wrapper.currentKeyId, above, limit: rewrapBatch }
      const found = await listOtherwiseWrapped(db, of, page)
      const pairs = found.flatMap((secret) => tryRewrap(wrapper, of, secret, result))
      result.rewrapped += options.isDryRun ? pairs.length : await replaceWrapped(db, of, pairs)
      options.onProgress((seen += found.length))
      above = found.at(-1)?.key ?? above
      more = found.length === rewrapBatch
    }
  }
  return result
}

function tryRewrap(
  wrapper: KeyWrapper,
  { name }: WrappedColumn,
  secret: WrappedSecret,
  { failed }: Rewrapped,
): { key: string; before: Buffer; after: Buffer }[] {
  try {
    return [{ key: secret.key, before: secret.wrapped, after: rewrap(wrapper, secret) }]
  } catch (error) {
    if (!(error instanceof UnwrapFailedError)) throw error
    failed.push({ secrets: name, row: secret.key, error: error.message })
    return []
  }
}

function rewrap(wrapper: KeyWrapper, { owner, did_key, wrapped }: WrappedSecret): Buffer {
  if (owner === null) throw new UnwrapFailedError('its account is gone')
  const bytes = wrapper.unwrap(wrapped, owner)
  if (did_key !== null && keySigner(bytes).didKey !== did_key) {
    throw new UnwrapFailedError('the unwrapped key is not the one whose public key is stored')
  }
  const renewed = wrapper.wrap(bytes, owner)
  if (!wrapper.unwrap(renewed, owner).equals(bytes)) throw new UnwrapFailedError('the new envelope differs')
  return renewed
}
