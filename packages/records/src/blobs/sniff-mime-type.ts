import { fileTypeFromBuffer } from 'file-type'

import { mimeTypeLengthMax } from './limits.ts'

const fallback = 'application/octet-stream'
const mimeTypePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/

/**
 * Returns the type of a blob: what its first bytes show, else what the client declared, else
 * `application/octet-stream`. Never throws: bytes that break the recogniser are of no known type.
 *
 * @param head the first `sniffBytes` of the blob, or all of it.
 * @param declared the client's Content-Type; parameters are dropped.
 */
export async function sniffMimeType(head: Uint8Array, declared: string | undefined): Promise<string> {
  const sniffed = await fileTypeFromBuffer(head).catch(() => undefined)
  return parseMimeType(sniffed?.mime) ?? parseMimeType(declared) ?? fallback
}

function parseMimeType(text: string | undefined): string | undefined {
  const mimeType = text?.split(';', 1)[0]?.trim().toLowerCase()
  if (mimeType === undefined || mimeType.length > mimeTypeLengthMax) return undefined
  return mimeTypePattern.test(mimeType) ? mimeType : undefined
}
