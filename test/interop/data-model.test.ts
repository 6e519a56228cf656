import {
  type DataObject,
  checkData,
  checkDataObject,
  cidForCbor,
  cidToString,
  decodeData,
  encodeData,
  InvalidDataError,
} from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { jsonVectors } from './vectors.ts'

type Fixture = { json: DataObject; cbor_base64: string; cid: string }
type Case = { note: string; json: unknown }

// SPEC DM-1, DM-2, DM-3, DM-5, DM-6, DM-7, DM-9
describe('data model', () => {
  test.each(jsonVectors('data-model/data-model-fixtures.json') as Fixture[])(
    'JSON, CBOR and CID agree for $cid',
    (fixture) => {
      const bytes = Buffer.from(fixture.cbor_base64, 'base64')
      expect(() => checkData(fixture.json)).not.toThrow()
      expect(encodeData(fixture.json).equals(bytes)).toBe(true)
      expect(cidToString(cidForCbor(bytes))).toBe(fixture.cid)
      expect(decodeData(bytes)).toEqual(fixture.json)
    },
  )

  test.each(jsonVectors('data-model/data-model-valid.json') as Case[])('accepts: $note', ({ json }) => {
    expect(() => checkDataObject(json)).not.toThrow()
  })

  test.each(jsonVectors('data-model/data-model-invalid.json') as Case[])('refuses: $note', ({ json }) => {
    expect(() => checkDataObject(json)).toThrow(InvalidDataError)
  })
})
