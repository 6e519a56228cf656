import { tryParseCid } from '../cid.ts'
import { InvalidDataError } from '../errors.ts'
import { dataDepthMax, dataElementsMax, dataKeyBytesMax } from '../limits.ts'
import { isBase64 } from './base64.ts'

/**
 * A value of the data model in its JSON form: a link is `{"$link": cid}`, bytes are `{"$bytes": base64}`, a blob is
 * `{"$type": "blob", ref, mimeType, size}`. Inside this program values always have this form; `encodeData` and
 * `decodeData` are the only doors to DAG-CBOR.
 */
export type DataValue = null | boolean | number | string | DataValue[] | DataObject

/** A map of the data model: every record is one. */
export type DataObject = { [key: string]: DataValue }

/** Is true of the keys that stand for something that JSON lacks: no map may have them beside others. */
export function isReservedKey(key: string): boolean {
  return key === '$link' || key === '$bytes'
}

/** Tells whether the value is an array or map, links and bytes included. */
export function isContainer(value: DataValue): value is DataValue[] | DataObject {
  return typeof value === 'object' && value !== null
}

/**
 * Returns if a parsed JSON value is one of the data model (SPEC DM-2…9): no floats, integers in the safe range,
 * well-formed text, links, bytes and blobs of the exact shape, `$type` a non-empty string, and all limits of size.
 *
 * @throws {InvalidDataError} naming the path of the first fault.
 * @example
 * checkData(JSON.parse(body))
 */
export function checkData(value: unknown): asserts value is DataValue {
  const fault = faultOf(value, 0)
  if (fault) throw new InvalidDataError(`invalid value at ${fault.path || '/'}: ${fault.reason}`)
}

/**
 * Returns if a parsed JSON value is a map of the data model: `checkData` and an object at the top.
 *
 * @throws {InvalidDataError} naming the path of the first fault.
 */
export function checkDataObject(value: unknown): asserts value is DataObject {
  checkData(value)
  if (!isContainer(value) || Array.isArray(value) || isScalarMap(value)) {
    throw new InvalidDataError('invalid value at /: an object is expected')
  }
}

type Fault = { path: string; reason: string }

function faultOf(value: unknown, depth: number): Fault | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : fault('text with a lone surrogate')
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? undefined : fault('a number that is no integer, or beyond 2^53 - 1')
  }
  if (value === null || typeof value === 'boolean') return undefined
  if (typeof value !== 'object') return fault(`a ${typeof value}`)
  if (depth === dataDepthMax && !isScalarMap(value)) return fault(`nested deeper than ${dataDepthMax} levels`)
  return Array.isArray(value) ? faultOfArray(value, depth) : faultOfMap(value as DataObject, depth)
}

function faultOfArray(items: unknown[], depth: number): Fault | undefined {
  if (items.length > dataElementsMax) return fault(`more than ${dataElementsMax} elements`)
  for (let i = 0; i < items.length; i++) {
    const found = faultOf(items[i], depth + 1)
    if (found) return within(String(i), found)
  }
  return undefined
}

function faultOfMap(map: DataObject, depth: number): Fault | undefined {
  let count = 0
  // JSON.parse makes plain objects, so own keys are all there are.
  for (const key of Object.keys(map)) {
    if (++count > dataElementsMax) return fault(`more than ${dataElementsMax} fields`)
    const value = map[key] as DataValue
    const found = isReservedKey(key)
      ? faultOfScalarMap(map, key)
      : (faultOfKey(key, value) ?? faultOf(value, depth + 1))
    if (found) return isReservedKey(key) ? found : within(key, found)
  }
  return map['$type'] === 'blob' ? faultOfBlob(map) : undefined
}

function faultOfKey(key: string, value: DataValue): Fault | undefined {
  if (key === '') return fault('an empty field name')
  if (!key.isWellFormed()) return fault('a field name with a lone surrogate')
  // A UTF-16 unit is at most three bytes, so short names need no count.
  if (key.length * 3 > dataKeyBytesMax && Buffer.byteLength(key) > dataKeyBytesMax) {
    return fault(`a field name of more than ${dataKeyBytesMax} bytes`)
  }
  if (key === '$type' && (typeof value !== 'string' || value === ''))
    return fault('must be a non-empty string')
  return undefined
}

function faultOfScalarMap(map: DataObject, key: string): Fault | undefined {
  const text = map[key]
  if (Object.keys(map).length !== 1) return fault(`${key} beside other fields`)
  if (typeof text !== 'string') return fault(`${key} must be a string`)
  if (key === '$link') return tryParseCid(text) ? undefined : fault('$link must be a CID')
  return isBase64(text) ? undefined : fault('$bytes must be base64')
}

function faultOfBlob(map: DataObject): Fault | undefined {
  const { ref, mimeType, size } = map
  if (typeof mimeType !== 'string' || mimeType === '') return fault('a blob without a mimeType')
  if (typeof size !== 'number' || size < 0) return fault('a blob without a size')
  const cid = ref === undefined ? undefined : linkOf(ref)
  if (cid === undefined) return fault('a blob without a ref')
  if (tryParseCid(cid)?.[1] !== 0x55) return fault('a blob whose ref is not of codec raw')
  return Object.keys(map).length === 4 ? undefined : fault('a blob with unknown fields')
}

/** Returns the CID text of a link, or undefined if the value is none. */
export function linkOf(value: DataValue): string | undefined {
  if (!isContainer(value) || Array.isArray(value)) return undefined
  const link = value['$link']
  return typeof link === 'string' ? link : undefined
}

/** Tells whether the map stands for a link or bytes, which nest nothing. */
function isScalarMap(value: object): boolean {
  return '$link' in value || '$bytes' in value
}

function fault(reason: string): Fault {
  return { path: '', reason }
}

function within(key: string, found: Fault): Fault {
  return { path: `/${key.slice(0, 100)}${found.path}`, reason: found.reason }
}
