import { InvalidDataError, checkData, isNsid, isRecordKey, isTid } from '@rookery/syntax'
import { must } from '@rookery/std'

import { type Scope, compile, fullName } from './checks/compile.ts'
import type { Check } from './checks/issue.ts'
import { isMap } from './checks/scalars.ts'
import { type ParamValue, type Query, type ReadParams, compileParams, readNoParams } from './checks/params.ts'
import type { BodyDefinition, Definition, LexiconDocument, RecordDefinition } from './definition.ts'
import { InvalidInputError, InvalidOutputError, InvalidRecordError } from './errors.ts'
import { refsOf } from './refs.ts'

/** What the lexicon says of an XRPC method, its parameters and bodies aside. */
export type MethodInfo = {
  type: 'query' | 'procedure' | 'subscription'
  /** Media type of the input body, perhaps a pattern; undefined if the method takes none. */
  inputEncoding?: string
  /** Media type of the output body, perhaps a pattern; undefined if the method gives none. */
  outputEncoding?: string
  /** Names of the errors that the method declares. */
  errors: readonly string[]
}

type Method = MethodInfo & {
  readParams: ReadParams
  checkInput?: Check
  inputDefaults: [key: string, value: string | number | boolean][]
  checkOutput?: Check
}

/**
 * Lexicon documents and the checks made of them. A check is compiled when it is first needed and kept; it works on
 * values in their JSON form and never changes them. Documents can be added and replaced at any time.
 */
export class LexiconRegistry {
  /** Documents by id, or their JSON text until one is first needed. */
  readonly #documents: Map<string, LexiconDocument | string>
  readonly #checks = new Map<string, Check>()
  readonly #methods = new Map<string, Method>()
  readonly #base: LexiconRegistry | undefined

  /**
   * @param documents JSON texts of valid documents by id; they are not checked again.
   * @param base whose documents this one has too; they cannot be replaced here.
   */
  constructor(documents: Readonly<Record<string, string>> = {}, base?: LexiconRegistry) {
    this.#documents = new Map(Object.entries(documents))
    this.#base = base
  }

  /** Adds a document, or replaces the one of the same id. */
  add(document: LexiconDocument): void {
    this.#documents.set(document.id, document)
    // Compiled checks hold on to the definitions they refer to.
    this.#checks.clear()
    this.#methods.clear()
  }

  /** Returns the document of an id, or undefined if there is none. */
  findDocument(id: string): LexiconDocument | undefined {
    const inherited = this.#base?.findDocument(id)
    if (inherited !== undefined) return inherited
    const found = this.#documents.get(id)
    if (typeof found !== 'string') return found
    const document = JSON.parse(found) as LexiconDocument
    this.#documents.set(id, document)
    return document
  }

  /**
   * Returns what a definition refers to, directly or by way of others, and that is not here: ids of documents, and
   * `id#name` where only the definition is missing. Nothing is missing of what can be checked in full.
   *
   * @param name full name of the definition, such as a collection.
   * @example
   * registry.missingReferences('com.example.note') // ['com.example.defs']
   */
  missingReferences(name: string): string[] {
    const missing = new Set<string>()
    const seen = new Set([name])
    for (const next of seen) {
      const [id = ''] = next.split('#', 1)
      const definition = this.#findDefinition(next)
      if (definition === undefined) missing.add(this.findDocument(id) === undefined ? id : next)
      else for (const ref of refsOf(definition)) seen.add(fullName(ref, id))
    }
    return [...missing]
  }

  /** Tells whether records of this collection can be validated. */
  knownRecord(collection: string): boolean {
    return this.#findRecord(collection) !== undefined
  }

  /**
   * Returns 'valid' if the record, and its key if given, are as the collection's lexicon wants; 'unknown' if no
   * document describes the collection.
   *
   * @param value a record in its JSON form that has passed `checkData`.
   * @throws {InvalidRecordError} if the record or its key breaks the lexicon.
   * @example
   * const validationStatus = registry.validateRecord('app.bsky.feed.post', record, rkey)
   */
  validateRecord(collection: string, value: unknown, rkey?: string): 'valid' | 'unknown' {
    const definition = this.#findRecord(collection)
    const check = definition && this.#findCheck(collection)
    if (!check) return 'unknown'
    const type = isMap(value) ? value['$type'] : undefined
    if (type !== collection) {
      throw new InvalidRecordError(`Invalid $type: expected ${collection}, got ${JSON.stringify(type)}`)
    }
    const found = check(value)
    if (found)
      throw new InvalidRecordError(`Invalid ${collection} record: Record${found.path} ${found.reason}`)
    if (rkey !== undefined && !fitsKeyType(rkey, definition.key)) {
      throw new InvalidRecordError(
        `Invalid record key for ${collection}: expected ${definition.key}, got ${rkey}`,
      )
    }
    return 'valid'
  }

  /** Returns what the lexicon says of a method, or undefined if there is none of that name. */
  methodOf(nsid: string): MethodInfo | undefined {
    return this.#findMethod(nsid)
  }

  /**
   * Returns a method's parameters, coerced and with defaults (SPEC XR-2).
   *
   * @throws {InvalidParamsError} if one is missing, repeated, of the wrong type or out of bounds.
   */
  validateParams(nsid: string, query: Query): Record<string, ParamValue> {
    return this.#getMethod(nsid).readParams(query)
  }

  /**
   * Returns a method's JSON input: the value itself, or a copy with the defaults of absent fields.
   *
   * @throws {InvalidInputError} if the value breaks the data model or the method's lexicon.
   */
  validateInput(nsid: string, value: unknown): unknown {
    const { checkInput, inputDefaults } = this.#getMethod(nsid)
    if (!checkInput) return value
    checkInputData(value)
    const input = withDefaults(value, inputDefaults)
    const found = checkInput(input)
    if (found) throw new InvalidInputError(`Input${found.path} ${found.reason}`)
    return input
  }

  /**
   * Returns if a method's JSON output is as its lexicon wants. For tests: what we send is not checked on the way.
   *
   * @throws {InvalidOutputError} if it is not.
   */
  validateOutput(nsid: string, value: unknown): void {
    const found = this.#getMethod(nsid).checkOutput?.(value)
    if (found) throw new InvalidOutputError(`Output${found.path} ${found.reason}`)
  }

  #findRecord(collection: string): RecordDefinition | undefined {
    const definition = this.#findDefinition(collection)
    return definition?.type === 'record' ? definition : undefined
  }

  #findDefinition(name: string): Definition | undefined {
    const [id = '', key = 'main'] = name.split('#', 2)
    const definitions = this.findDocument(id)?.defs
    return definitions && Object.hasOwn(definitions, key) ? definitions[key] : undefined
  }

  #findCheck(name: string): Check | undefined {
    const known = this.#checks.get(name)
    if (known) return known
    const definition = this.#findDefinition(name)
    if (!definition) return undefined
    const check = compile(definition, this.#scopeOf(name))
    this.#checks.set(name, check)
    return check
  }

  #scopeOf(name: string): Scope {
    return { id: name.split('#', 1)[0] ?? '', find: (other) => this.#findCheck(other) }
  }

  #getMethod(nsid: string): Method {
    return must(this.#findMethod(nsid), `no lexicon document describes ${nsid}`)
  }

  #findMethod(nsid: string): Method | undefined {
    const known = this.#methods.get(nsid)
    if (known) return known
    const definition = this.#findDefinition(nsid)
    const isMethod =
      definition?.type === 'query' || definition?.type === 'procedure' || definition?.type === 'subscription'
    if (!isMethod) return undefined
    const scope = this.#scopeOf(nsid)
    const input = definition.type === 'procedure' ? definition.input : undefined
    const output = definition.type === 'subscription' ? undefined : definition.output
    const method: Method = {
      type: definition.type,
      errors: (definition.errors ?? []).map(({ name }) => name),
      readParams: definition.parameters ? compileParams(definition.parameters, scope) : readNoParams,
      inputDefaults: this.#defaultsOf(input?.schema, nsid),
      ...(input && { inputEncoding: input.encoding }),
      ...(output && { outputEncoding: output.encoding }),
      ...(input?.schema && { checkInput: compile(input.schema, scope) }),
      ...(output?.schema && { checkOutput: compile(output.schema, scope) }),
    }
    this.#methods.set(nsid, method)
    return method
  }

  /** Returns the defaults of an input's own fields; nested ones do not occur in methods that a PDS serves. */
  #defaultsOf(schema: BodyDefinition['schema'], id: string): Method['inputDefaults'] {
    const definition = schema?.type === 'ref' ? this.#findDefinition(fullName(schema.ref, id)) : schema
    if (definition?.type !== 'object') return []
    return Object.entries(definition.properties ?? {}).flatMap(([key, property]) =>
      'default' in property && property.default !== undefined ? [[key, property.default]] : [],
    )
  }
}

function checkInputData(value: unknown): void {
  try {
    checkData(value)
  } catch (cause) {
    if (cause instanceof InvalidDataError) throw new InvalidInputError(`Input: ${cause.message}`, { cause })
    throw cause
  }
}

function withDefaults(value: unknown, defaults: Method['inputDefaults']): unknown {
  if (defaults.length === 0 || !isMap(value)) return value
  return { ...Object.fromEntries(defaults), ...value }
}

/** Record key types (SPEC ID-9). */
function fitsKeyType(rkey: string, type: string): boolean {
  if (type === 'tid') return isTid(rkey)
  if (type === 'nsid') return isNsid(rkey)
  if (type.startsWith('literal:')) return rkey === type.slice('literal:'.length)
  return isRecordKey(rkey)
}
