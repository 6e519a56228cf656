import type { BlobQuota } from './blob-queries.ts'
import { BlobTypeRefusedError } from './errors.ts'
import type { LocationPolicy } from './location/location-filter.ts'

/** What a tenant lets its accounts upload. */
export type BlobRules = BlobQuota & {
  /** Types that are taken: `image/png`, `image/*` or all of them. */
  types: readonly string[]
  /** Types that are refused though they are among those, in the same form. */
  typesRefused: readonly string[]
  /** What becomes of pictures and videos that tell where they were recorded. */
  location: LocationPolicy
  /** Throws if whoever uploads may not upload blobs of the type. Default: everybody may. */
  assertType?: (mimeType: string) => void
}

/** The rules that allow everything. */
export const noBlobRules: BlobRules = {
  types: ['*/*'],
  typesRefused: [],
  location: 'allow',
  accountBytesMax: null,
  tenantBytesMax: null,
}

/** Tells whether the rules depend on what an upload is of, so that its beginning is looked at before it is stored. */
export function dependOnContent({ types, typesRefused, location, assertType }: BlobRules): boolean {
  const areTypesLimited = !types.includes('*/*') || typesRefused.length > 0 || assertType !== undefined
  return areTypesLimited || location !== 'allow'
}

/**
 * Returns if a blob of the type may be uploaded.
 *
 * @throws {BlobTypeRefusedError} whatever `assertType` throws.
 */
export function checkBlobType({ types, typesRefused, assertType }: BlobRules, mimeType: string): void {
  assertType?.(mimeType)
  const isIn = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => isOfType(mimeType, pattern))
  if (isIn(types) && !isIn(typesRefused)) return
  throw new BlobTypeRefusedError(`Files of type ${mimeType} are not accepted here`)
}

function isOfType(mimeType: string, pattern: string): boolean {
  return pattern === '*/*' || pattern === mimeType || pattern === `${mimeType.split('/', 1)[0]}/*`
}
