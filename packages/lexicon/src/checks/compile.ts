import type { ArrayDefinition, Definition, ObjectDefinition, UnionDefinition } from '../definition.ts'
import { type Check, type Issue, issue, within } from './issue.ts'
import {
  checkCidLink,
  checkUnknown,
  compileBlob,
  compileBoolean,
  compileBytes,
  compileInteger,
  isMap,
} from './scalars.ts'
import { compileString } from './strings.ts'

/** Finds definitions by name, across documents. */
export type Scope = {
  /** NSID of the document that the definition is in: what `#name` is relative to. */
  id: string
  /** Returns the check of a definition by its full name, or undefined if no document has it. */
  find: (name: string) => Check | undefined
}

/**
 * Returns the check of a definition. Other definitions it refers to are looked up when a value first needs them, so
 * circles are no trouble.
 */
export function compile(definition: Definition, scope: Scope): Check {
  switch (definition.type) {
    case 'boolean':
      return compileBoolean(definition)
    case 'integer':
      return compileInteger(definition)
    case 'string':
      return compileString(definition)
    case 'bytes':
      return compileBytes(definition)
    case 'cid-link':
      return checkCidLink
    case 'blob':
      return compileBlob(definition)
    case 'unknown':
      return checkUnknown
    case 'array':
      return compileArray(definition, scope)
    case 'object':
      return compileObject(definition, scope)
    case 'record':
      return compileObject(definition.record, scope)
    case 'ref':
      return lazily(fullName(definition.ref, scope.id), scope)
    case 'union':
      return compileUnion(definition, scope)
    case 'token':
    case 'permission-set':
    case 'query':
    case 'procedure':
    case 'subscription':
      break
  }
  return () => issue(`can not be of type ${definition.type}`)
}

/** Returns the one name of a definition: `nsid` for the main one, else `nsid#name`; `id` completes `#name`. */
export function fullName(ref: string, id: string): string {
  const name = ref.startsWith('#') ? id + ref : ref
  return name.endsWith('#main') ? name.slice(0, -'#main'.length) : name
}

function lazily(name: string, scope: Scope): Check {
  let target: Check | undefined
  return (value) => {
    target ??= scope.find(name)
    return target === undefined ? issue(`refers to the unknown lexicon ${name}`) : target(value)
  }
}

function compileArray(definition: ArrayDefinition, scope: Scope): Check {
  const { minLength = 0, maxLength = Infinity } = definition
  const checkItem = compile(definition.items, scope)
  return (value) => {
    if (!Array.isArray(value)) return issue('must be an array')
    if (value.length > maxLength) return issue(`must not have more than ${maxLength} elements`)
    if (value.length < minLength) return issue(`must not have fewer than ${minLength} elements`)
    for (let i = 0; i < value.length; i++) {
      const found = checkItem(value[i])
      if (found) return within(i, found)
    }
    return undefined
  }
}

type Property = { check: Check; nullable: boolean }

/** The work is bounded by the value, however many properties are defined. */
function compileObject(definition: ObjectDefinition, scope: Scope): Check {
  const { required = [], properties = {} } = definition
  const nullable = new Set(definition.nullable)
  const byKey = new Map(
    Object.entries(properties).map(([key, property]): [string, Property] => [
      key,
      { check: compile(property, scope), nullable: nullable.has(key) },
    ]),
  )
  return (value) => {
    if (!isMap(value)) return issue('must be an object')
    for (const key of required) {
      // Names such as `constructor` are on every object; only the value's own fields count.
      if (!Object.hasOwn(value, key)) return issue(`must have the property "${key}"`)
    }
    for (const key of Object.keys(value)) {
      const property = byKey.get(key)
      const found = property && issueOfProperty(key, value[key], property)
      if (found) return found
    }
    return undefined
  }
}

function issueOfProperty(key: string, value: unknown, { check, nullable }: Property): Issue | undefined {
  if (value === null && nullable) return undefined
  const found = check(value)
  return found && within(key, found)
}

const typeName = /^[^#]+(#[^#]+)?$/

function compileUnion({ refs, closed = false }: UnionDefinition, scope: Scope): Check {
  const checks = new Map(
    refs.map((ref) => {
      const name = fullName(ref, scope.id)
      return [name, lazily(name, scope)]
    }),
  )
  return (value) => {
    const type = isMap(value) ? value['$type'] : undefined
    if (typeof type !== 'string') return issue('must be an object which includes the "$type" property')
    // Values are read outside their document, where `#name` means nothing.
    if (!typeName.test(type)) return issue('must have a full name as its $type')
    const check = checks.get(fullName(type, ''))
    if (check) return check(value)
    return closed ? issue(`$type must be one of ${refs.join(', ').slice(0, 1_000)}`) : undefined
  }
}
