import { type DataValue, isContainer, linkOf } from './value.ts'

/** A reference to a blob found in a value. */
export type BlobRef = {
  /** CID of the blob, as text. */
  cid: string
  mimeType: string
  /** Bytes, or -1 in the legacy form, which does not say. */
  size: number
  /** Whether it has the form `{cid, mimeType}`: readable for ever, refused in new writes (SPEC DM-10). */
  legacy: boolean
}

/**
 * Returns every blob reference in a checked value, in the order of the value; a blob named twice appears twice.
 *
 * @example
 * for (const { cid, legacy } of blobRefs(record)) if (legacy) refuse(cid)
 */
export function blobRefs(value: DataValue): BlobRef[] {
  const found: BlobRef[] = []
  collectBlobs(value, found)
  return found
}

/** Returns the CID text of every link in a checked value, blob references included, in the order of the value. */
export function links(value: DataValue): string[] {
  const found: string[] = []
  collectLinks(value, found)
  return found
}

function collectBlobs(value: DataValue, found: BlobRef[]): void {
  if (!isContainer(value)) return
  if (Array.isArray(value)) {
    for (const item of value) collectBlobs(item, found)
    return
  }
  const blob = blobOf(value)
  if (blob) {
    found.push(blob)
    return
  }
  for (const key of Object.keys(value)) collectBlobs(value[key] as DataValue, found)
}

/** Returns the blob reference that a map is, or undefined if it is none. */
export function blobOf(map: { [key: string]: DataValue }): BlobRef | undefined {
  const { $type, ref, cid, mimeType, size } = map
  if (typeof mimeType !== 'string') return undefined
  if ($type === 'blob') {
    const link = ref === undefined ? undefined : linkOf(ref)
    return link === undefined || typeof size !== 'number'
      ? undefined
      : { cid: link, mimeType, size, legacy: false }
  }
  const isLegacy = typeof cid === 'string' && Object.keys(map).length === 2
  return isLegacy ? { cid, mimeType, size: -1, legacy: true } : undefined
}

function collectLinks(value: DataValue, found: string[]): void {
  if (!isContainer(value)) return
  if (Array.isArray(value)) {
    for (const item of value) collectLinks(item, found)
    return
  }
  const link = linkOf(value)
  if (link !== undefined) {
    found.push(link)
    return
  }
  for (const key of Object.keys(value)) collectLinks(value[key] as DataValue, found)
}
