import { schemas } from '@atproto/api'
import { Lexicons, jsonToLex } from '@atproto/lexicon'
import { type DataObject, type DataValue, cidForRawDigest, cidToString } from '@rookery/syntax'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { bundledLexicons } from './bundled.ts'
import { parseDocument } from './document.ts'
import { InvalidInputError, InvalidOutputError, InvalidParamsError, InvalidRecordError } from './errors.ts'
import { LexiconRegistry } from './registry.ts'

const lexicons = bundledLexicons()
const blobCid = cidToString(cidForRawDigest(new Uint8Array(32)))
const subject = { uri: 'at://did:web:example.com/app.bsky.feed.post/3jzfcijpj2z2a', cid: blobCid }
const createdAt = '2026-11-20T12:34:56.789Z'
const post = { $type: 'app.bsky.feed.post', text: 'Hello', createdAt }

const records: (DataObject & { $type: string })[] = [
  post,
  {
    ...post,
    text: 'Grüße an 👨‍👩‍👧‍👧',
    langs: ['de', 'pt-BR'],
    tags: ['birds'],
    reply: { root: subject, parent: subject },
    facets: [
      {
        index: { byteStart: 0, byteEnd: 7 },
        features: [
          { $type: 'app.bsky.richtext.facet#mention', did: 'did:web:example.com' },
          { $type: 'com.example.unknown', any: 1 },
        ],
      },
    ],
    embed: {
      $type: 'app.bsky.embed.images',
      images: [
        {
          alt: 'a heron',
          image: { $type: 'blob', ref: { $link: blobCid }, mimeType: 'image/png', size: 70_000 },
          aspectRatio: { width: 4, height: 3 },
        },
      ],
    },
    labels: { $type: 'com.atproto.label.defs#selfLabels', values: [{ val: 'nudity' }] },
  },
  { $type: 'app.bsky.feed.like', subject, createdAt },
  { $type: 'app.bsky.graph.follow', subject: 'did:web:example.com', createdAt },
  {
    $type: 'app.bsky.actor.profile',
    displayName: 'Heron',
    pinnedPost: subject,
    joinedViaStarterPack: subject,
  },
  {
    $type: 'app.bsky.feed.threadgate',
    post: subject.uri,
    allow: [{ $type: 'app.bsky.feed.threadgate#mentionRule' }],
    createdAt,
  },
]

describe('validateRecord', () => {
  test.each(records)('accepts a valid $$type', (record) => {
    expect(lexicons.validateRecord(record.$type, record)).toBe('valid')
  })

  // SPEC LEX-2
  test('accepts and keeps fields that the lexicon does not know', () => {
    const record = { ...post, more: { a: null } }
    expect(lexicons.validateRecord('app.bsky.feed.post', record)).toBe('valid')
    expect(record.more).toEqual({ a: null })
  })

  test('says unknown of collections without a document, and of documents that are no record', () => {
    expect(lexicons.validateRecord('com.example.thing', { $type: 'com.example.thing' })).toBe('unknown')
    expect(lexicons.validateRecord('app.bsky.feed.getPosts', {})).toBe('unknown')
    expect(lexicons.knownRecord('app.bsky.feed.post')).toBe(true)
    expect(lexicons.knownRecord('app.bsky.feed.getPosts')).toBe(false)
    expect(lexicons.knownRecord('constructor')).toBe(false)
  })

  test('names collection, path and reason', () => {
    const refused = (record: unknown) => () => lexicons.validateRecord('app.bsky.feed.post', record)
    expect(refused({ ...post, text: 1 })).toThrow(
      'Invalid app.bsky.feed.post record: Record/text must be a string',
    )
    expect(refused({ $type: post.$type, text: '' })).toThrow('Record must have the property "createdAt"')
    expect(refused({ ...post, langs: ['en', '-'] })).toThrow('Record/langs/1 must be a well-formed BCP 47')
    expect(refused({ ...post, $type: 'app.bsky.feed.like' })).toThrow(
      'Invalid $type: expected app.bsky.feed.post',
    )
    expect(refused(null)).toThrow(InvalidRecordError)
  })

  // SPEC LEX-3
  test('counts graphemes, and bytes, up to the limit', () => {
    const family = '👨‍👩‍👧‍👧'
    const withText = (text: string) => () => lexicons.validateRecord('app.bsky.feed.post', { ...post, text })
    expect(withText('a'.repeat(300))).not.toThrow()
    expect(withText('a'.repeat(301))).toThrow('must not be longer than 300 graphemes')
    expect(withText('é'.repeat(300))).not.toThrow()
    expect(withText('e\u0301'.repeat(301))).toThrow('must not be longer than 300 graphemes')
    expect(withText(family.repeat(120))).not.toThrow()
    expect(withText(family.repeat(121))).toThrow('must not be longer than 3000 characters')
    expect(withText('\r\n'.repeat(300))).not.toThrow()
  })

  // SPEC ID-9, WR-6, LEX-12
  test.each([
    ['tid', 'app.bsky.feed.post', post, '3jzfcijpj2z2a', 'self'],
    ['literal', 'app.bsky.actor.profile', { $type: 'app.bsky.actor.profile' }, 'self', '3jzfcijpj2z2a'],
    [
      'nsid',
      'com.atproto.lexicon.schema',
      { $type: 'com.atproto.lexicon.schema', lexicon: 1 },
      'com.example.thing',
      'thing',
    ],
  ])('checks record keys of type %s', (_, collection, record, good, bad) => {
    expect(lexicons.validateRecord(collection, record, good)).toBe('valid')
    expect(() => lexicons.validateRecord(collection, record, bad)).toThrow(InvalidRecordError)
  })

  // SPEC LEX-7, DM-10, BL-4
  test('enforces type and size of blobs, at the limit and past it, and refuses the legacy form', () => {
    const avatar = (mimeType: string, size: number) => () =>
      lexicons.validateRecord('app.bsky.actor.profile', {
        $type: 'app.bsky.actor.profile',
        avatar: { $type: 'blob', ref: { $link: blobCid }, mimeType, size },
      })
    expect(avatar('image/png', 1_000_000)).not.toThrow()
    expect(avatar('image/PNG; a=b', 0)).not.toThrow()
    expect(avatar('image/png', 1_000_001)).toThrow('must not be larger than 1000000 bytes')
    expect(avatar('image/gif', 1)).toThrow('must be of type image/png or image/jpeg')
    const legacy = { $type: 'app.bsky.actor.profile', avatar: { cid: blobCid, mimeType: 'image/png' } }
    expect(() => lexicons.validateRecord('app.bsky.actor.profile', legacy)).toThrow('should be a blob ref')
  })

  // SPEC LEX-4, LEX-5, LEX-6
  test('refuses whatever @atproto/lexicon refuses', () => {
    const oracle = new Lexicons(structuredClone(schemas) as never)
    const change = fc.record({
      record: fc.constantFrom(...records),
      at: fc.nat(),
      value: fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom('x'.repeat(4_000), '👍'.repeat(400), -1, null, []),
      ),
    })
    fc.assert(
      fc.property(change, ({ record, at, value }) => {
        const changed = changeOne(record, at, value as DataValue)
        const type = record.$type
        const wanted = passes(() => oracle.assertValidRecord(type, jsonToLex(changed)))
        const got = passes(() => lexicons.validateRecord(type, changed))
        // We are stricter about blobs, `unknown`, languages and datetimes, never looser.
        expect(wanted || !got).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })
})

// SPEC XR-2
describe('validateParams', () => {
  const getRecord = 'com.atproto.repo.getRecord'
  const listRecords = 'com.atproto.repo.listRecords'

  test('refuses a NUL in any text', () => {
    const query = new URLSearchParams('repo=alice.test&collection=app.bsky.feed.post&cursor=a%00')
    expect(() => lexicons.validateParams(listRecords, query)).toThrow(InvalidParamsError)
  })

  test('coerces, applies defaults and leaves out what is unknown', () => {
    const query = new URLSearchParams('repo=alice.test&collection=app.bsky.feed.post&reverse=true&x=1')
    expect(lexicons.validateParams(listRecords, query)).toEqual({
      repo: 'alice.test',
      collection: 'app.bsky.feed.post',
      limit: 50,
      reverse: true,
    })
  })

  test('reads a parsed query as it reads a URL', () => {
    const query = { repo: 'alice.test', collection: 'app.bsky.feed.post', limit: '7', cursor: '' }
    expect(lexicons.validateParams(listRecords, query)).toEqual({
      repo: 'alice.test',
      collection: 'app.bsky.feed.post',
      limit: 7,
    })
  })

  test('makes an array of a repeated name, and of a single one', () => {
    const getBlocks = 'com.atproto.sync.getBlocks'
    const did = 'did:web:example.com'
    expect(lexicons.validateParams(getBlocks, { did, cids: [blobCid, blobCid] })['cids']).toEqual([
      blobCid,
      blobCid,
    ])
    expect(lexicons.validateParams(getBlocks, { did, cids: blobCid })['cids']).toEqual([blobCid])
    expect(() => lexicons.validateParams(getBlocks, { did, cids: [blobCid, 'x'] })).toThrow(
      'Params/cids/1 must be a cid',
    )
  })

  test.each([
    ['a missing one', { repo: 'alice.test' }],
    ['a repeated one', { repo: ['alice.test', 'bob.test'], collection: 'app.bsky.feed.post' }],
    ['a wrong format', { repo: 'alice', collection: 'app.bsky.feed.post' }],
    ['a limit of 0', { repo: 'alice.test', collection: 'app.bsky.feed.post', limit: '0' }],
    ['a limit of 101', { repo: 'alice.test', collection: 'app.bsky.feed.post', limit: '101' }],
    ['a float', { repo: 'alice.test', collection: 'app.bsky.feed.post', limit: '1.5' }],
    ['a number with text', { repo: 'alice.test', collection: 'app.bsky.feed.post', limit: '10a' }],
    ['another word for true', { repo: 'alice.test', collection: 'app.bsky.feed.post', reverse: '1' }],
    ['an object', { repo: { a: 1 }, collection: 'app.bsky.feed.post' }],
  ])('refuses %s', (_, query) => {
    expect(() => lexicons.validateParams(listRecords, query)).toThrow(InvalidParamsError)
  })

  test('says what is missing', () => {
    expect(() => lexicons.validateParams(getRecord, {})).toThrow('Params must have the property "repo"')
    expect(lexicons.validateParams('com.atproto.server.getSession', { a: 'b' })).toEqual({})
  })
})

describe('validateInput and validateOutput', () => {
  test('apply defaults to a copy', () => {
    const input = { useCount: 1 }
    expect(lexicons.validateInput('com.atproto.server.createInviteCodes', input)).toEqual({
      codeCount: 1,
      useCount: 1,
    })
    expect(input).toEqual({ useCount: 1 })
  })

  test('return the very input where there is nothing to fill in', () => {
    const input = { repo: 'alice.test', collection: 'app.bsky.feed.post', record: post }
    expect(lexicons.validateInput('com.atproto.repo.createRecord', input)).toBe(input)
  })

  test('refuse what breaks the lexicon, and what breaks the data model inside unknown fields', () => {
    const create = (input: unknown) => () => lexicons.validateInput('com.atproto.repo.createRecord', input)
    const input = { repo: 'alice.test', collection: 'app.bsky.feed.post', record: post }
    expect(create({ ...input, repo: undefined })).toThrow(InvalidInputError)
    expect(create({ ...input, record: [] })).toThrow('Input/record must be an object')
    expect(create({ ...input, record: { ...post, size: 1.5 } })).toThrow('/record/size')
    expect(create(undefined)).toThrow(InvalidInputError)
  })

  // SPEC LEX-4
  test('tell the types of a closed union apart', () => {
    const apply = (write: unknown) => () =>
      lexicons.validateInput('com.atproto.repo.applyWrites', { repo: 'alice.test', writes: [write] })
    const value = { collection: 'app.bsky.feed.post', value: post }
    expect(apply({ $type: 'com.atproto.repo.applyWrites#create', ...value })).not.toThrow()
    expect(apply({ $type: 'com.atproto.repo.applyWrites#other', ...value })).toThrow(InvalidInputError)
    expect(apply(value)).toThrow('includes the "$type" property')
  })

  test('check outputs', () => {
    const output = { uri: subject.uri, cid: blobCid, validationStatus: 'valid' }
    expect(() => lexicons.validateOutput('com.atproto.repo.createRecord', output)).not.toThrow()
    expect(() => lexicons.validateOutput('com.atproto.repo.createRecord', { uri: 1 })).toThrow(
      InvalidOutputError,
    )
  })
})

describe('methodOf', () => {
  test('says type, encodings and declared errors', () => {
    expect(lexicons.methodOf('com.atproto.repo.createRecord')).toMatchObject({
      type: 'procedure',
      inputEncoding: 'application/json',
      outputEncoding: 'application/json',
      errors: ['InvalidSwap'],
    })
    expect(lexicons.methodOf('com.atproto.repo.uploadBlob')?.inputEncoding).toBe('*/*')
    expect(lexicons.methodOf('com.atproto.sync.subscribeRepos')?.type).toBe('subscription')
    expect(lexicons.methodOf('com.atproto.sync.getRepo')?.outputEncoding).toBe('application/vnd.ipld.car')
    expect(lexicons.methodOf('com.atproto.server.deleteSession')?.inputEncoding).toBeUndefined()
  })

  test('knows no records, definitions or strangers', () => {
    for (const id of ['app.bsky.feed.post', 'com.atproto.repo.defs', 'com.example.x', '__proto__']) {
      expect(lexicons.methodOf(id)).toBeUndefined()
    }
  })
})

describe('add', () => {
  const thing = (property: object) =>
    parseDocument({
      lexicon: 1,
      id: 'com.example.thing',
      defs: {
        main: {
          type: 'record',
          key: 'any',
          record: { type: 'object', required: ['part'], properties: { part: property } },
        },
        part: { type: 'object', properties: { inner: { type: 'ref', ref: '#part' } } },
      },
    })

  test('replaces a document and everything compiled from it', () => {
    const registry = new LexiconRegistry()
    const record = { $type: 'com.example.thing', part: 'a' }
    expect(registry.validateRecord('com.example.thing', record)).toBe('unknown')
    registry.add(thing({ type: 'string' }))
    expect(registry.validateRecord('com.example.thing', record)).toBe('valid')
    registry.add(thing({ type: 'ref', ref: '#part' }))
    expect(() => registry.validateRecord('com.example.thing', record)).toThrow(
      'Record/part must be an object',
    )
    const circle = { ...record, part: { inner: { inner: { inner: 1 } } } }
    expect(() => registry.validateRecord('com.example.thing', circle)).toThrow(
      'Record/part/inner/inner/inner',
    )
  })

  test('lets a reference wait for its document', () => {
    const registry = new LexiconRegistry()
    registry.add(thing({ type: 'ref', ref: 'com.example.later' }))
    const record = { $type: 'com.example.thing', part: {} }
    expect(() => registry.validateRecord('com.example.thing', record)).toThrow(
      'unknown lexicon com.example.later',
    )
    registry.add(parseDocument({ lexicon: 1, id: 'com.example.later', defs: { main: { type: 'object' } } }))
    expect(registry.validateRecord('com.example.thing', record)).toBe('valid')
  })
})

/** Returns a copy whose n-th field, at any depth, has another value. */
function changeOne(record: DataObject, at: number, value: DataValue): DataObject {
  const copy = structuredClone(record)
  const fields: [object, string][] = []
  const collect = (part: DataValue) => {
    if (typeof part !== 'object' || part === null) return
    for (const [key, inner] of Object.entries(part)) {
      fields.push([part, key])
      collect(inner)
    }
  }
  collect(copy)
  const [owner, key] = fields[at % fields.length] ?? [copy, 'text']
  ;(owner as DataObject)[key] = value
  return copy
}

function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}
