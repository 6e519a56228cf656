import type { ParamsDefinition } from '../definition.ts'
import { InvalidParamsError } from '../errors.ts'
import { type Scope, compile } from './compile.ts'
import { type Check, issue } from './issue.ts'

/** A parameter once coerced. */
export type ParamValue = string | number | boolean | (string | number | boolean)[]

/** Parameters as they come: of a URL, or of a parser that makes an array of a repeated name. */
export type Query = URLSearchParams | Readonly<Record<string, unknown>>

/** Returns a query's parameters, coerced. */
export type ReadParams = (query: Query) => Record<string, ParamValue>

type Param = {
  key: string
  itemType: string
  isArray: boolean
  required: boolean
  fallback: string | number | boolean | undefined
  check: Check
}

/**
 * Returns the reader of a method's parameters (SPEC XR-2): a repeated name is an array, booleans are `true` and
 * `false`, defaults are filled in, unknown names are left out, and an empty text counts as absent, as clients expect.
 * A text with a NUL is refused: no parameter has a meaning with one, and a database does not take it.
 */
export function compileParams(definition: ParamsDefinition, scope: Scope): ReadParams {
  const required = definition.required ?? []
  const params = Object.entries(definition.properties).map(([key, property]): Param => ({
    key,
    itemType: property.type === 'array' ? property.items.type : property.type,
    isArray: property.type === 'array',
    required: required.includes(key),
    fallback: 'default' in property ? property.default : undefined,
    check: compile(property, scope),
  }))
  return (query) => {
    const read: Record<string, ParamValue> = {}
    for (const param of params) {
      const value = readParam(param, textsOf(query, param.key))
      if (value !== undefined) read[param.key] = value
    }
    return read
  }
}

/** Is the reader of a method without parameters. */
export const readNoParams: ReadParams = () => ({})

function textsOf(query: Query, key: string): string[] {
  if (query instanceof URLSearchParams) return query.getAll(key).filter((text) => text !== '')
  const value = Object.hasOwn(query, key) ? query[key] : undefined
  return (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string' && text !== '')
}

function readParam(param: Param, texts: string[]): ParamValue | undefined {
  if (texts.length === 0) {
    if (param.fallback !== undefined) return param.fallback
    if (param.required) throw new InvalidParamsError(`Params must have the property "${param.key}"`)
    return undefined
  }
  if (texts.some((text) => text.includes('\0'))) {
    throw new InvalidParamsError(`Params/${param.key} must not hold a NUL`)
  }
  const items = texts.map((text) => coerce(text, param.itemType))
  const first = items[0] as string | number | boolean
  const value = param.isArray ? items : first
  const found = !param.isArray && items.length > 1 ? issue('must be given once') : param.check(value)
  if (found) throw new InvalidParamsError(`Params/${param.key}${found.path} ${found.reason}`)
  return value
}

const integerPattern = /^-?\d{1,16}$/

/** What does not have the form of its type stays text, which the check then refuses. */
function coerce(text: string, type: string): string | number | boolean {
  if (type === 'integer' && integerPattern.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
