import { InvalidCursorError } from '@rookery/records'
import { type Cid, tryParseCid } from '@rookery/syntax'

/**
 * Returns the CID after which a page starts, or undefined for the first page.
 *
 * @throws {InvalidCursorError}
 */
export function cidCursor(cursor: string | undefined): Cid | undefined {
  if (cursor === undefined || cursor === '') return undefined
  const cid = tryParseCid(cursor)
  if (cid === undefined) throw new InvalidCursorError('Malformed cursor')
  return cid
}
