import { isNsid } from '@rookery/syntax'

import { stringFormats } from './checks/strings.ts'
import type { LexiconDocument } from './definition.ts'
import { InvalidLexiconError } from './errors.ts'

/*
 * Checks that a document is one of the lexicon language. Each rule of a type is one line of a table, so the tables
 * read like the specification. Unknown fields are left alone: documents grow (SPEC LEX-9).
 */

/** Checks a value; throws InvalidLexiconError naming the path. */
type Rule = (value: unknown, path: string) => void
type Rules = Readonly<Record<string, Rule>>
type Fields = Readonly<Record<string, unknown>>

/**
 * Returns the value as a lexicon document.
 *
 * @throws {InvalidLexiconError} if it is none: wrong version, no NSID, an unknown or misplaced type, a wrong field.
 * @example
 * registry.add(parseDocument(JSON.parse(text)))
 */
export function parseDocument(value: unknown): LexiconDocument {
  const document = fieldsOf(value, 'document')
  if (document['lexicon'] !== 1) refuse('lexicon', 'must be 1')
  const { id } = document
  if (typeof id !== 'string' || !isNsid(id)) refuse('id', 'must be an NSID')
  for (const [name, definition] of Object.entries(fieldsOf(document['defs'], 'defs'))) {
    if (!definitionName.test(name)) refuse(`defs/${name}`, 'is no name')
    ;(name === 'main' ? mainDefinition : namedDefinition)(definition, `defs/${name}`)
  }
  return document as LexiconDocument
}

const definitionName = /^[a-zA-Z][a-zA-Z0-9]{0,255}$/
const recordKeyType = /^(tid|nsid|any|literal:[a-zA-Z0-9_~.:-]{1,512})$/

const text: Rule = (value, path) => typeof value === 'string' || refuse(path, 'must be a text')
const flag: Rule = (value, path) => typeof value === 'boolean' || refuse(path, 'must be a boolean')
const integer: Rule = (value, path) => Number.isSafeInteger(value) || refuse(path, 'must be an integer')
const count: Rule = (value, path) =>
  (Number.isSafeInteger(value) && (value as number) >= 0) || refuse(path, 'must be a count')
const matching = (pattern: RegExp): Rule => {
  return (value, path) =>
    (typeof value === 'string' && pattern.test(value)) || refuse(path, `must match ${pattern}`)
}
const format: Rule = (value, path) =>
  (typeof value === 'string' && stringFormats.includes(value)) || refuse(path, 'must be a known format')
const ref: Rule = (value, path) => {
  const [id = '', name = 'main', ...rest] = typeof value === 'string' ? value.split('#') : []
  if ((id !== '' && !isNsid(id)) || !definitionName.test(name) || rest.length > 0 || value === '') {
    refuse(path, 'must be a reference')
  }
}

function listOf(rule: Rule): Rule {
  return (value, path) => {
    if (!Array.isArray(value)) refuse(path, 'must be an array')
    for (const [index, item] of value.entries()) rule(item, `${path}/${index}`)
  }
}

function mapOf(rule: Rule): Rule {
  return (value, path) => {
    for (const [key, item] of Object.entries(fieldsOf(value, path))) rule(item, `${path}/${key}`)
  }
}

/** Each rule applies where its field is; the named ones must be there. */
function fields(rules: Rules, ...required: string[]): Rule {
  return (value, path) => {
    const found = fieldsOf(value, path)
    for (const name of required) if (!Object.hasOwn(found, name)) refuse(path, `must have ${name}`)
    for (const [name, rule] of Object.entries(rules)) {
      if (Object.hasOwn(found, name)) rule(found[name], `${path}/${name}`)
    }
  }
}

/** Chooses the rule by the value's `type`; types that are not listed are refused. */
function byType(rules: Rules): Rule {
  return (value, path) => {
    const { type } = fieldsOf(value, path)
    if (typeof type !== 'string' || !Object.hasOwn(rules, type))
      refuse(`${path}/type`, 'is not possible here')
    rules[type]?.(value, path)
  }
}

/** What is required must be defined too. */
function requiredAreDefined(rule: Rule): Rule {
  return (value, path) => {
    rule(value, path)
    const { required, properties } = fieldsOf(value, path)
    for (const name of (required ?? []) as string[]) {
      if (!Object.hasOwn(properties ?? {}, name)) refuse(path, `requires ${name} but does not define it`)
    }
  }
}

const names = listOf(text)
const lengths = { minLength: count, maxLength: count }
const anything: Rule = () => undefined

const scalars: Rules = {
  boolean: fields({ default: flag, const: flag }),
  integer: fields({
    default: integer,
    const: integer,
    enum: listOf(integer),
    minimum: integer,
    maximum: integer,
  }),
  string: fields({
    format,
    default: text,
    const: text,
    enum: names,
    knownValues: names,
    ...lengths,
    minGraphemes: count,
    maxGraphemes: count,
  }),
}

const object = requiredAreDefined(
  fields({ properties: mapOf((value, path) => field(value, path)), required: names, nullable: names }),
)
const union = fields({ refs: listOf(ref), closed: flag }, 'refs')
const reference = fields({ ref }, 'ref')

const concrete: Rules = {
  ...scalars,
  bytes: fields(lengths),
  'cid-link': anything,
  blob: fields({ accept: names, maxSize: count }),
  array: fields({ items: (value, path) => field(value, path), ...lengths }, 'items'),
  object,
}

const field = byType({ ...concrete, unknown: anything, ref: reference, union })

const queryTypes: Rules = { ...scalars, unknown: anything }
const params = requiredAreDefined(
  fields(
    {
      properties: mapOf(
        byType({ ...queryTypes, array: fields({ items: byType(queryTypes), ...lengths }, 'items') }),
      ),
      required: names,
    },
    'properties',
  ),
)

const body = fields({ encoding: text, schema: byType({ object, ref: reference, union }) }, 'encoding')
const method = fields({
  parameters: byType({ params }),
  input: body,
  output: body,
  message: fields({ schema: byType({ union }) }),
  errors: listOf(fields({ name: text }, 'name')),
})
const permission = byType({ permission: fields({ resource: matching(/^.+$/) }, 'resource') })

/** Definitions that may stand beside a main one: not `unknown`, which says nothing. */
const named: Rules = { ...concrete, token: anything }
const namedDefinition = byType(named)

/** A document's primary type can only be its main definition (SPEC LEX-8). */
const mainDefinition = byType({
  ...named,
  record: fields({ key: matching(recordKeyType), record: byType({ object }) }, 'key', 'record'),
  query: method,
  procedure: method,
  subscription: method,
  'permission-set': fields({ permissions: listOf(permission) }, 'permissions'),
})

function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(path, 'must be an object')
  return value as Fields
}

function refuse(path: string, reason: string): never {
  throw new InvalidLexiconError(`not a lexicon: ${path.slice(0, 200)} ${reason}`)
}
