import { describe, expect, test } from 'vitest'

import { bundledIds, bundledLexicons } from './bundled.ts'
import type { LexiconDocument } from './definition.ts'
import { InvalidLexiconError, InvalidRecordError } from './errors.ts'
import { parseForeignDocument } from './foreign-document.ts'
import {
  foreignAcceptMax,
  foreignDocumentDepthMax,
  foreignDocumentValuesMax,
  foreignGraphemesMax,
} from './limits.ts'
import { LexiconRegistry } from './registry.ts'

const collection = 'com.example.note'

function recordOf(properties: object, more: object = {}): Record<string, unknown> {
  const main = { type: 'record', key: 'any', record: { type: 'object', properties } }
  return { lexicon: 1, id: collection, defs: { main, ...more } }
}

function nested(levels: number): object {
  return levels === 0 ? { type: 'string' } : { type: 'array', items: nested(levels - 1) }
}

const list = (length: number): string[] => Array.from({ length }, (_, n) => `v${n}`)

describe('parseForeignDocument', () => {
  test('takes every document that is bundled', () => {
    const lexicons = bundledLexicons()
    for (const id of bundledIds()) expect(parseForeignDocument(lexicons.findDocument(id)).id).toBe(id)
  })

  // A note's field is five levels below the document, an array's items one below it.
  test.each<[what: string, of: (n: number) => object, limit: number]>([
    ['nesting', (n) => recordOf({ a: nested(n - 6) }), foreignDocumentDepthMax],
    ['values', (n) => recordOf({ a: { type: 'string', enum: list(n - 13) } }), foreignDocumentValuesMax],
    ['media types', (n) => recordOf({ a: { type: 'blob', accept: list(n) } }), foreignAcceptMax],
    ['graphemes', (n) => recordOf({ a: { type: 'string', maxGraphemes: n } }), foreignGraphemesMax],
  ])('takes as much %s as the limit says and no more', (_, of, limit) => {
    expect(parseForeignDocument(of(limit)).id).toBe(collection)
    expect(() => parseForeignDocument(of(limit + 1))).toThrow(InvalidLexiconError)
  })

  test('refuses nesting that would overflow the stack', () => {
    let deep: object = { type: 'string' }
    for (let n = 0; n < 100_000; n++) deep = { type: 'array', items: deep }
    expect(() => parseForeignDocument(recordOf({ deep }))).toThrow(InvalidLexiconError)
  })

  test.each([null, 1, 'text', [], { lexicon: 2 }, { lexicon: 1, id: 'no nsid', defs: {} }])(
    'refuses %j',
    (value) => {
      expect(() => parseForeignDocument(value)).toThrow(InvalidLexiconError)
    },
  )
})

describe('a document from the network', () => {
  function registryOf(document: Record<string, unknown>): LexiconRegistry {
    const registry = new LexiconRegistry({}, bundledLexicons())
    registry.add(parseForeignDocument(document))
    return registry
  }

  test('costs what the value costs, however many fields it defines', () => {
    const properties = Object.fromEntries(list(3_000).map((name) => [name, { type: 'string' }]))
    const registry = registryOf(
      recordOf(
        { all: { type: 'array', items: { type: 'ref', ref: '#wide' } } },
        { wide: { type: 'object', properties } },
      ),
    )
    let looks = 0
    const watched = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: (target, key) => {
          looks++
          return Reflect.getOwnPropertyDescriptor(target, key)
        },
      },
    )
    expect(
      registry.validateRecord(collection, {
        $type: collection,
        all: Array.from({ length: 100 }, () => watched),
      }),
    ).toBe('valid')
    expect(looks).toBe(0)
  })

  test('may refer to itself: the value ends', () => {
    const registry = registryOf(
      recordOf(
        { a: { type: 'ref', ref: '#loop' } },
        { loop: { type: 'object', properties: { next: { type: 'ref', ref: '#loop' } } } },
      ),
    )
    expect(registry.validateRecord(collection, { $type: collection, a: { next: { next: {} } } })).toBe(
      'valid',
    )
    expect(() =>
      registry.validateRecord(collection, { $type: collection, a: { next: { next: 1 } } }),
    ).toThrow(InvalidRecordError)
  })

  test('with fields named like what every object has checks those fields only', () => {
    const fields = JSON.parse('{"__proto__":{"type":"string"},"constructor":{"type":"integer"}}') as object
    const registry = registryOf(recordOf(fields))
    expect(registry.validateRecord(collection, { $type: collection })).toBe('valid')
    const value = JSON.parse(`{"$type":"${collection}","__proto__":1}`) as object
    expect(() => registry.validateRecord(collection, value)).toThrow('Record/__proto__ must be a string')
  })

  test('does not answer with a list of megabytes', () => {
    const registry = registryOf(recordOf({ a: { type: 'string', enum: list(9_000) } }))
    const refused = (): unknown => registry.validateRecord(collection, { $type: collection, a: 'other' })
    expect(refused).toThrow(/must be one of \(v0\|v1\|.{900,1000}…\)/)
  })

  test('cannot replace a bundled one', () => {
    const id = 'app.bsky.feed.like'
    const registry = registryOf({ ...recordOf({}), id })
    expect(() => registry.validateRecord(id, { $type: id })).toThrow('must have the property')
  })
})

test('missingReferences names the documents and definitions that a record needs and that are not there', () => {
  const registry = new LexiconRegistry({}, bundledLexicons())
  expect(registry.missingReferences(collection)).toEqual([collection])
  const properties = {
    strong: { type: 'ref', ref: 'com.atproto.repo.strongRef' },
    known: {
      type: 'array',
      items: { type: 'union', refs: ['com.example.defs#a', '#here', 'app.bsky.feed.post'] },
    },
    lost: { type: 'ref', ref: '#gone' },
  }
  registry.add(
    recordOf(properties, {
      here: { type: 'object', properties: { x: { type: 'ref', ref: 'com.example.other' } } },
    }) as unknown as LexiconDocument,
  )
  expect(registry.missingReferences(collection).sort()).toEqual([
    'com.example.defs',
    `${collection}#gone`,
    'com.example.other',
  ])
})
