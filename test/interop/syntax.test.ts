import {
  isAtIdentifier,
  isAtUri,
  isCidString,
  isDatetime,
  isDid,
  isHandle,
  isLanguage,
  isNsid,
  isRecordKey,
  isTid,
  isUri,
} from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { lineVectors } from './vectors.ts'

const kinds: [string, (text: string) => boolean][] = [
  ['atidentifier', isAtIdentifier],
  ['aturi', isAtUri],
  ['cid', isCidString],
  ['datetime', isDatetime],
  ['did', isDid],
  ['handle', isHandle],
  ['language', isLanguage],
  ['nsid', isNsid],
  ['recordkey', isRecordKey],
  ['tid', isTid],
  ['uri', isUri],
]

// SPEC ID-1, ID-5, ID-7, ID-8, ID-11, ID-13, ID-15, ID-16, ID-17
describe.each(kinds)('%s', (kind, is) => {
  test.each(lineVectors(`syntax/${kind}_syntax_valid.txt`))('accepts %j', (text) => {
    expect(is(text)).toBe(true)
  })

  test.each(lineVectors(`syntax/${kind}_syntax_invalid.txt`))('refuses %j', (text) => {
    expect(is(text)).toBe(false)
  })
})

test.each(lineVectors('syntax/datetime_parse_invalid.txt'))('datetime refuses the impossible %j', (text) => {
  expect(isDatetime(text)).toBe(false)
})

test.each(lineVectors('syntax/language_parse_invalid.txt'))('language refuses the impossible %j', (text) => {
  expect(isLanguage(text)).toBe(false)
})
