import { hash } from 'node:crypto'

import { InvalidPathError } from './errors.ts'
import { pathBytesMax } from './limits.ts'

const pathPattern = /^[a-zA-Z0-9_~\-:.]+\/[a-zA-Z0-9_~\-:.]+$/

/**
 * Returns the layer of the tree on which a key lives: the leading zero bits of its SHA-256, in pairs (SPEC MST-1).
 *
 * @example
 * keyLayer('app.bsky.feed.post/454397e440ec') // 4
 */
export function keyLayer(key: string): number {
  const digest = hash('sha256', key, 'buffer')
  let layer = 0
  for (const byte of digest) {
    if (byte !== 0) return layer + ((Math.clz32(byte) - 24) >> 1)
    layer += 4
  }
  return layer
}

/**
 * Returns how many leading characters two keys share.
 *
 * @example
 * sharedPrefixLength('com.example/a1', 'com.example/b2') // 12
 */
export function sharedPrefixLength(a: string, b: string): number {
  const max = Math.min(a.length, b.length)
  let length = 0
  while (length < max && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

/**
 * Tells whether the text can be a record's path: `collection/rkey`, each of letters, digits and `_~-:.`, at most
 * `pathBytesMax` bytes. Says nothing about the NSID and record key rules, which are the caller's.
 *
 * @example
 * isRecordPath('app.bsky.feed.post/3jqfcqzm3fo2j') // true
 */
export function isRecordPath(path: string): boolean {
  return path.length <= pathBytesMax && pathPattern.test(path)
}

/** Requires a record path. */
export function checkPath(path: string): void {
  if (!isRecordPath(path)) throw new InvalidPathError(`not a record path: ${path.slice(0, 100)}`)
}
