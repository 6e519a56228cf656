import { type Cid, cidToString } from '@rookery/syntax'

import { InvalidSwapError } from '../errors.ts'
import type { WriteHead } from '../storage/storage-queries.ts'

/**
 * Requires that the head is the one that the client named, if it named one.
 *
 * @throws {InvalidSwapError} if it is another.
 */
export function checkSwapCommit(head: WriteHead, swapCommit: string | undefined): void {
  if (swapCommit === undefined) return
  const current = cidToString(head.head)
  if (current !== swapCommit) throw new InvalidSwapError(`Commit was at ${current}`)
}

/**
 * Requires that the record is the one that the client named, if it named one; null names none at all.
 *
 * @throws {InvalidSwapError} if it is another.
 */
export function checkSwapRecord(current: Cid | undefined, swapRecord: string | null | undefined): void {
  if (swapRecord === undefined) return
  const cid = current === undefined ? null : cidToString(current)
  if (cid !== swapRecord) throw new InvalidSwapError(`Record was at ${cid}`)
}
