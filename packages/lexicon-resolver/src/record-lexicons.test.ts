import { InvalidRecordError, bundledLexicons, parseForeignDocument } from '@rookery/lexicon'
import { createLogger } from '@rookery/telemetry'
import { beforeEach, describe, expect, test, vi } from 'vitest'

import { LexiconNotFoundError } from './errors.ts'
import { memoryMs, neededDocumentsMax } from './limits.ts'
import { type LexiconPolicy, RecordLexiconFinder } from './record-lexicons.ts'

const note = 'com.example.note'
const good = { $type: note, text: 'text' }
const bad = { $type: note, text: 1 }

let documents: Map<string, object | Promise<object>>
let asked: string[]
let finder: RecordLexiconFinder

function publish(id: string, properties: object, more: object = {}): void {
  const main = { type: 'record', key: 'any', record: { type: 'object', required: ['text'], properties } }
  documents.set(id, { lexicon: 1, id, defs: { main, ...more } })
}

beforeEach(() => {
  documents = new Map()
  asked = []
  publish(note, { text: { type: 'string' } })
  const resolver = {
    resolve: async (nsid: string) => {
      asked.push(nsid)
      const document = await documents.get(nsid)
      if (document === undefined) throw new LexiconNotFoundError(nsid, 'not here')
      return { uri: '', cid: JSON.stringify(document), document: parseForeignDocument(document) }
    },
  }
  finder = new RecordLexiconFinder({
    bundled: bundledLexicons(),
    resolver,
    log: createLogger('test', 'silent'),
  })
})

/** What becomes of a record: its status, or `refused` by its lexicon. */
async function outcome(
  policy: LexiconPolicy,
  collection: string,
  record: object,
  validate?: boolean,
): Promise<string> {
  const lexicons = await finder.find(policy, [collection], validate)
  try {
    return lexicons.validateRecord(collection, record)
  } catch (error) {
    if (error instanceof InvalidRecordError) return 'refused'
    throw error
  }
}

describe('RecordLexiconFinder', () => {
  test.each<[LexiconPolicy, boolean | undefined, good: string, bad: string, unknown: string]>([
    ['off', undefined, 'unknown', 'unknown', 'unknown'],
    ['off', true, 'unknown', 'unknown', 'unknown'],
    ['validate', undefined, 'valid', 'refused', 'unknown'],
    ['validate', true, 'valid', 'refused', 'unknown'],
    ['validate', false, 'unknown', 'unknown', 'unknown'],
    ['require', undefined, 'valid', 'refused', 'unknown'],
    ['require', false, 'valid', 'refused', 'unknown'],
  ])('policy %s with validate %s', async (policy, validate, ...outcomes) => {
    const other = 'com.example.other'
    expect([
      await outcome(policy, note, good, validate),
      await outcome(policy, note, bad, validate),
      await outcome(policy, other, { $type: other }, validate),
    ]).toEqual(outcomes)
    expect((await finder.find(policy, [], validate)).isRequired).toBe(policy === 'require')
  })

  test('asks nobody where nothing is to be looked up', async () => {
    await outcome('off', note, good, true)
    await outcome('validate', note, good, false)
    expect(asked).toEqual([])
  })

  test('never looks up what is bundled', async () => {
    publish('app.bsky.feed.post', {})
    expect(await outcome('validate', 'app.bsky.feed.post', { $type: 'app.bsky.feed.post' })).toBe('refused')
    expect(asked).toEqual([])
  })

  test('a record is checked with the documents that its own refers to', async () => {
    publish(note, {
      text: { type: 'ref', ref: 'com.example.defs#a' },
      strong: { type: 'ref', ref: 'com.atproto.repo.strongRef' },
    })
    const a = {
      type: 'object',
      required: ['b'],
      properties: { b: { type: 'ref', ref: 'com.example.more#b' } },
    }
    documents.set('com.example.defs', { lexicon: 1, id: 'com.example.defs', defs: { a } })
    const b = { type: 'object', properties: { back: { type: 'ref', ref: 'com.example.defs#a' } } }
    documents.set('com.example.more', { lexicon: 1, id: 'com.example.more', defs: { b } })
    expect(await outcome('validate', note, { $type: note, text: { b: { back: { b: {} } } } })).toBe('valid')
    expect(await outcome('validate', note, { $type: note, text: { b: { back: {} } } })).toBe('refused')
    expect(asked).toEqual([note, 'com.example.defs', 'com.example.more'])
  })

  test.each<[what: string, arrange: () => void]>([
    [
      'refers to a document that is not there',
      () => publish(note, { text: { type: 'ref', ref: 'com.example.gone' } }),
    ],
    [
      'refers to a definition that is not there',
      () => publish(note, { text: { type: 'ref', ref: '#gone' } }),
    ],
    ['is no record', () => documents.set(note, { lexicon: 1, id: note, defs: { main: { type: 'token' } } })],
    [
      'is not well-formed',
      () => documents.set(note, { lexicon: 1, id: note, defs: { main: { type: 'other' } } }),
    ],
    [
      'needs more documents than neededDocumentsMax',
      () => {
        for (let n = 0; n < neededDocumentsMax; n++)
          publish(`com.example.n${n}`, { text: { type: 'ref', ref: `com.example.n${n + 1}` } })
        publish(note, { text: { type: 'ref', ref: 'com.example.n0' } })
      },
    ],
  ])('a lexicon that %s is unknown', async (_, arrange) => {
    arrange()
    expect(await outcome('validate', note, bad)).toBe('unknown')
    expect(await outcome('require', note, bad)).toBe('unknown')
  })

  test('does not wait long for a lexicon that the client can do without', async () => {
    documents.set(note, new Promise(() => {}))
    expect(await outcome('validate', note, bad)).toBe('unknown')
  })

  test('a lexicon that was published anew counts', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      expect(await outcome('validate', note, bad)).toBe('refused')
      publish(note, { text: { type: 'integer' } })
      expect(await outcome('validate', note, bad)).toBe('refused')
      vi.advanceTimersByTime(memoryMs)
      expect(await outcome('validate', note, bad)).toBe('valid')
      expect(await outcome('validate', note, good)).toBe('refused')
    } finally {
      vi.useRealTimers()
    }
  })
})
