import type { LexiconRegistry } from '@rookery/lexicon'
import fc, { type Arbitrary } from 'fast-check'

/** A definition of a lexicon document, as far as values are made from it. */
type Shape = Record<string, any>

/** Values that mean something to the server: what is there, mixed with what is not. */
export type Known = {
  did: string
  handle: string
  email: string
  cid: string
  rkey: string
  collection: string
}

/** How deep references are followed; what lies deeper is left out or empty. */
const depthMax = 5

/** Text that programs stumble over. */
const awkward = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\ufeff',
  '%',
  '%00',
  "'; drop table account --",
  '__proto__',
  'constructor',
  '-1',
  '9'.repeat(40),
  'null',
  '../..',
  'é'.repeat(300),
  '👩‍👩‍👧'.repeat(50),
  'x'.repeat(10_000),
]

/** Makes values of the shapes that lexicon documents describe. */
export class LexiconValues {
  readonly #lexicons: LexiconRegistry
  readonly #known: Known

  constructor(lexicons: LexiconRegistry, known: Known) {
    this.#lexicons = lexicons
    this.#known = known
  }

  /** Returns parameters of a method: of its shape, or changed in places. */
  params(nsid: string): Arbitrary<Record<string, unknown>> {
    const shape = this.#main(nsid)['parameters'] ?? { type: 'object', properties: {} }
    return this.#perhapsChanged(this.#object(shape, nsid, 0)) as Arbitrary<Record<string, unknown>>
  }

  /** Returns JSON bodies of a method: of its shape, or changed in places; undefined if it has none. */
  input(nsid: string): Arbitrary<unknown> | undefined {
    const schema = this.#main(nsid)['input']?.schema
    return schema === undefined ? undefined : this.#perhapsChanged(this.#value(schema, nsid, 0))
  }

  /** Returns any text, often one that means something. */
  text(): Arbitrary<string> {
    return fc.oneof(
      fc.constantFrom(...Object.values(this.#known)),
      fc.constantFrom(...awkward),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ maxLength: 20 }),
    )
  }

  #main(nsid: string): Shape {
    return this.#lexicons.findDocument(nsid)!.defs['main'] as Shape
  }

  #perhapsChanged(values: Arbitrary<unknown>): Arbitrary<unknown> {
    const change = fc.array(fc.tuple(fc.nat(), this.#junk()), { minLength: 1, maxLength: 3 })
    const changed = fc.tuple(values, change).map(([value, changes]) => {
      const copy = { value: structuredClone(value) }
      for (const [place, junk] of changes) putAt(copy, place, structuredClone(junk))
      return copy.value
    })
    return fc.oneof({ weight: 3, arbitrary: values }, { weight: 2, arbitrary: changed })
  }

  #junk(): Arbitrary<unknown> {
    return fc.oneof(
      this.text(),
      fc.constantFrom<unknown>(null, true, 0, -1, 0.5, 2 ** 53, 1e308, [], {}, [[[[]]]], { $type: 'x' }),
      fc.constantFrom<unknown>({ $link: 'x' }, { $bytes: '!' }, { $bytes: 'AA' }, { $type: 'blob' }),
      fc.constantFrom<unknown>({ $type: 'blob', ref: { $link: this.#known.cid }, mimeType: '', size: -1 }),
      fc.constant(undefined),
      fc.jsonValue(),
    )
  }

  #value(shape: Shape, from: string, depth: number): Arbitrary<unknown> {
    if (depth > depthMax) return fc.constantFrom<unknown>({}, [], '')
    if ('const' in shape) return fc.constant(shape['const'])
    const make: Record<string, () => Arbitrary<unknown>> = {
      boolean: () => fc.boolean(),
      integer: () => integer(shape),
      string: () => this.#string(shape),
      bytes: () => fc.base64String({ maxLength: 64 }).map(($bytes) => ({ $bytes })),
      blob: () => fc.nat().map((size) => this.#blob(size)),
      array: () => fc.array(this.#value(shape['items'], from, depth + 1), { maxLength: 4 }),
      object: () => this.#object(shape, from, depth),
      params: () => this.#object(shape, from, depth),
      ref: () => this.#reference(shape['ref'], from, depth),
      union: () => this.#union(shape, from, depth),
      'cid-link': () => fc.constant({ $link: this.#known.cid }),
      unknown: () => fc.oneof(this.#record(), fc.jsonValue()),
    }
    return make[shape['type'] as string]?.() ?? fc.jsonValue()
  }

  #object(shape: Shape, from: string, depth: number): Arbitrary<Record<string, unknown>> {
    const fields = Object.entries<Shape>(shape['properties'] ?? {})
    const model = Object.fromEntries(
      fields.map(([name, field]) => [name, this.#field(name, field, from, depth)]),
    )
    return fc.record(model, { requiredKeys: (shape['required'] ?? []) as string[], noNullPrototype: true })
  }

  /** Fields that are often no format of their own but mean something. */
  #field(name: string, field: Shape, from: string, depth: number): Arbitrary<unknown> {
    const value = this.#value(field, from, depth + 1)
    const { email, rkey, collection, did } = this.#known
    const meant: Record<string, string> = {
      email,
      rkey,
      collection,
      repo: did,
      identifier: did,
      account: did,
    }
    const known = meant[name]
    return known === undefined || field['type'] !== 'string'
      ? value
      : fc.oneof({ weight: 3, arbitrary: fc.constant<unknown>(known) }, { weight: 1, arbitrary: value })
  }

  #reference(ref: string, from: string, depth: number): Arbitrary<unknown> {
    const [id = '', name = 'main'] = ref.split('#')
    const nsid = id === '' ? from : id
    const shape = this.#lexicons.findDocument(nsid)?.defs[name] as Shape | undefined
    if (shape === undefined) return fc.jsonValue()
    return this.#value(shape['type'] === 'record' ? shape['record'] : shape, nsid, depth + 1)
  }

  #union({ refs }: Shape, from: string, depth: number): Arbitrary<unknown> {
    const options = (refs as string[]).map((ref) => {
      const $type = ref.startsWith('#') ? from + ref : ref
      return this.#reference(ref, from, depth).map((value) => ({ ...(value as object), $type }))
    })
    return options.length === 0 ? fc.jsonValue() : fc.oneof(...options)
  }

  #record(): Arbitrary<unknown> {
    const fields = { text: this.text(), createdAt: fc.constant('2026-01-01T00:00:00.000Z') }
    return fc.record(fields).map((value) => ({ $type: this.#known.collection, ...value }))
  }

  #blob(size: number): object {
    return { $type: 'blob', ref: { $link: this.#known.cid }, mimeType: 'image/png', size }
  }

  #string(shape: Shape): Arbitrary<unknown> {
    const listed = [...(shape['enum'] ?? []), ...(shape['knownValues'] ?? [])] as string[]
    if (listed.length > 0) return fc.oneof(fc.constantFrom(...listed), this.text())
    const formatted = this.#formatted(shape['format'] as string | undefined)
    return formatted === undefined
      ? this.text()
      : fc.oneof({ weight: 5, arbitrary: formatted }, { weight: 1, arbitrary: this.text() })
  }

  #formatted(format: string | undefined): Arbitrary<unknown> | undefined {
    const { did, handle, cid, rkey, collection } = this.#known
    const values: Record<string, string[]> = {
      'at-identifier': [did, handle, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', 'nobody.one.test'],
      'at-uri': [`at://${did}/${collection}/${rkey}`, `at://${handle}`, 'at://did:web:x.test/a.b.c/d'],
      cid: [cid, 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'],
      datetime: ['2026-01-01T00:00:00.000Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:60+14:00'],
      did: [
        did,
        'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa',
        'did:web:localhost%3A1',
        `did:example:${'a'.repeat(2_000)}`,
      ],
      handle: [handle, 'nobody.one.test', 'xn--nxasmq6b.example', 'fresh.one.test', 'handle.invalid'],
      language: ['en', 'x-private', 'de-Latn-CH'],
      nsid: [collection, 'com.atproto.repo.uploadBlob', 'a.b.c', `com.example.${'a'.repeat(63)}`],
      'record-key': [rkey, 'self', '.', '_', 'x'.repeat(512)],
      tid: ['3jzfcijpj2z2a', '2222222222222', 'zzzzzzzzzzzzz'],
      uri: ['https://example.test/a', 'x:', `https://example.test/${'a'.repeat(3_000)}`],
    }
    const known = format === undefined ? undefined : values[format]
    return known === undefined ? undefined : fc.constantFrom(...known)
  }
}

function integer({ minimum, maximum }: Shape): Arbitrary<unknown> {
  const [min, max] = [minimum ?? -(2 ** 53) + 1, maximum ?? 2 ** 53 - 1]
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))
}

/** Puts a value at one of the places of a JSON value, counted through; undefined takes away what is there. */
function putAt(root: { value: unknown }, place: number, junk: unknown): void {
  const places: [holder: any, key: string][] = []
  const walk = (holder: object): void => {
    for (const [key, value] of Object.entries(holder)) {
      places.push([holder, key])
      if (typeof value === 'object' && value !== null) walk(value)
    }
  }
  walk(root)
  const [holder, key] = places[place % places.length] ?? [root, 'value']
  if (junk === undefined && !Array.isArray(holder)) delete holder[key]
  else holder[key] = junk
}
