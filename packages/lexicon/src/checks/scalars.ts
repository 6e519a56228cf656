import { type DataObject, base64Bytes, blobOf, isBase64, linkOf, tryParseCid } from '@rookery/syntax'

import type { BlobDefinition, BooleanDefinition, BytesDefinition, IntegerDefinition } from '../definition.ts'
import { type Check, issue, oneOf } from './issue.ts'

/** Tells whether the value is a map that stands for itself, not for a link or bytes. */
export function isMap(value: unknown): value is DataObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !('$link' in value) &&
    !('$bytes' in value)
  )
}

/** Returns the check of a boolean definition. */
export function compileBoolean({ const: only }: BooleanDefinition): Check {
  return (value) => {
    if (typeof value !== 'boolean') return issue('must be a boolean')
    return only !== undefined && value !== only ? issue(`must be ${only}`) : undefined
  }
}

/** Returns the check of an integer definition. */
export function compileInteger(definition: IntegerDefinition): Check {
  const { const: only, enum: values, minimum, maximum } = definition
  const allowed = values && new Set(values)
  return (value) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return issue('must be an integer')
    if (only !== undefined && value !== only) return issue(`must be ${only}`)
    if (allowed !== undefined && !allowed.has(value)) return issue(oneOf(allowed))
    if (maximum !== undefined && value > maximum) return issue(`can not be greater than ${maximum}`)
    return minimum !== undefined && value < minimum ? issue(`can not be less than ${minimum}`) : undefined
  }
}

/** Returns the check of a bytes definition; lengths count raw bytes. */
export function compileBytes({ minLength = 0, maxLength = Infinity }: BytesDefinition): Check {
  return (value) => {
    const text = typeof value === 'object' && value !== null && '$bytes' in value ? value.$bytes : undefined
    if (typeof text !== 'string' || !isBase64(text)) return issue('must be a byte array')
    const bytes = base64Bytes(text)
    if (bytes > maxLength) return issue(`must not be larger than ${maxLength} bytes`)
    return bytes < minLength ? issue(`must not be smaller than ${minLength} bytes`) : undefined
  }
}

/** Is the check of a cid-link definition. */
export const checkCidLink: Check = (value) => {
  const link = typeof value === 'object' && value !== null ? linkOf(value as DataObject) : undefined
  return link !== undefined && tryParseCid(link) ? undefined : issue('must be a CID')
}

/** Is the check of an unknown definition: any map but a blob (SPEC LEX-5). */
export const checkUnknown: Check = (value) => {
  return isMap(value) && value['$type'] !== 'blob' ? undefined : issue('must be an object')
}

/**
 * Returns the check of a blob definition: shape, type and size (SPEC LEX-7). The legacy form is no blob here: it is
 * refused in new writes (SPEC DM-10).
 */
export function compileBlob({ accept, maxSize = Infinity }: BlobDefinition): Check {
  return (value) => {
    const blob = isMap(value) ? blobOf(value) : undefined
    if (!blob || blob.legacy || !tryParseCid(blob.cid)) return issue('should be a blob ref')
    if (accept !== undefined && !accept.some((pattern) => accepts(pattern, blob.mimeType))) {
      return issue(`must be of type ${accept.join(' or ')}, got ${blob.mimeType}`)
    }
    return blob.size > maxSize
      ? issue(`must not be larger than ${maxSize} bytes, got ${blob.size}`)
      : undefined
  }
}

/** Tells whether a media type, parameters aside, is of a pattern: exact, all of a kind, or all there are. */
function accepts(pattern: string, mimeType: string): boolean {
  if (pattern === '*/*') return true
  const type = (mimeType.split(';', 1)[0] ?? '').trim().toLowerCase()
  return pattern.endsWith('/*')
    ? type.startsWith(pattern.slice(0, -1).toLowerCase())
    : type === pattern.toLowerCase()
}
