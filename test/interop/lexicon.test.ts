import { InvalidLexiconError, InvalidRecordError, LexiconRegistry, parseDocument } from '@rookery/lexicon'
import { checkDataObject } from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { jsonFolder, jsonVectors } from './vectors.ts'

type DocumentCase = { name: string; lexicon: unknown }
type RecordCase = { name: string; rkey: string; data: unknown }

const collection = 'example.lexicon.record'
const registry = new LexiconRegistry()
for (const document of jsonFolder('lexicon/catalog')) registry.add(parseDocument(document))

// SPEC LEX-8
describe('documents', () => {
  test.each(jsonVectors('lexicon/lexicon-valid.json') as DocumentCase[])('accepts: $name', ({ lexicon }) => {
    expect(() => parseDocument(lexicon)).not.toThrow()
  })

  test.each(jsonVectors('lexicon/lexicon-invalid.json') as DocumentCase[])(
    'refuses: $name',
    ({ lexicon }) => {
      expect(() => parseDocument(lexicon)).toThrow(InvalidLexiconError)
    },
  )
})

// SPEC LEX-2, LEX-3, LEX-4, LEX-5, LEX-6
describe('records', () => {
  test.each(jsonVectors('lexicon/record-data-valid.json') as RecordCase[])(
    'accepts: $name',
    ({ rkey, data }) => {
      expect(registry.validateRecord(collection, data, rkey)).toBe('valid')
    },
  )

  test.each(jsonVectors('lexicon/record-data-invalid.json') as RecordCase[])(
    'refuses: $name',
    ({ rkey, data }) => {
      expect(() => registry.validateRecord(collection, data, rkey)).toThrow(InvalidRecordError)
    },
  )

  test('are refused under a key that is not of the type', () => {
    const [valid] = jsonVectors('lexicon/record-data-valid.json') as RecordCase[]
    checkDataObject(valid?.data)
    expect(() => registry.validateRecord(collection, valid.data, 'other')).toThrow(InvalidRecordError)
  })
})
