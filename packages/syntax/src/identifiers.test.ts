import { describe, expect, test } from 'vitest'

import { atUri, parseAtUri, tryParseAtUri } from './at-uri.ts'
import { InvalidHandleError, InvalidIdentifierError } from './errors.ts'
import { invalidHandle, isHandleTldAllowed, parseHandle, tryParseHandle } from './handle.ts'
import {
  isUri,
  nsidAuthority,
  parseAtIdentifier,
  parseDid,
  parseNsid,
  parseRecordKey,
} from './identifiers.ts'
import { didCharsMax, nsidCharsMax, recordKeyCharsMax, uriCharsMax } from './limits.ts'

describe('handles', () => {
  // SPEC ID-13
  test('are kept in lower case', () => {
    expect(parseHandle('Alice.Example.COM')).toBe('alice.example.com')
    expect(tryParseHandle('alice')).toBeUndefined()
    expect(() => parseHandle('alice..com')).toThrow(InvalidHandleError)
  })

  // SPEC ID-14
  test.each(['alt', 'arpa', 'example', 'internal', 'invalid', 'local', 'localhost', 'onion'])(
    'of the reserved domain .%s name nobody',
    (tld) => {
      expect(isHandleTldAllowed(parseHandle(`alice.${tld}`), { allowTest: true })).toBe(false)
    },
  )

  test('of .test are for development', () => {
    expect(isHandleTldAllowed('alice.test', { allowTest: true })).toBe(true)
    expect(isHandleTldAllowed('alice.test', { allowTest: false })).toBe(false)
    expect(isHandleTldAllowed('alice.latest', { allowTest: false })).toBe(true)
    expect(isHandleTldAllowed('alice.example.com', { allowTest: false })).toBe(true)
  })

  test('handle.invalid is a handle that nobody may register', () => {
    expect(parseHandle(invalidHandle)).toBe(invalidHandle)
    expect(isHandleTldAllowed(invalidHandle, { allowTest: true })).toBe(false)
  })
})

describe('limits', () => {
  const label = 'a'.repeat(63)
  // SPEC ID-5, ID-8, ID-11
  test.each([
    ['DID', (n: number) => parseDid(`did:web:${'a'.repeat(n - 8)}`), didCharsMax],
    [
      'NSID',
      (n: number) => parseNsid(`${label}.${label}.${label}.${'a'.repeat(n - 256)}.${label}`),
      nsidCharsMax,
    ],
    ['record key', (n: number) => parseRecordKey('a'.repeat(n)), recordKeyCharsMax],
  ])('of a %s hold at n and n + 1', (_, parse, limit) => {
    expect(() => parse(limit)).not.toThrow()
    expect(() => parse(limit + 1)).toThrow(InvalidIdentifierError)
  })

  test('of a URI hold at n and n + 1', () => {
    expect(isUri(`a:${'b'.repeat(uriCharsMax - 2)}`)).toBe(true)
    expect(isUri(`a:${'b'.repeat(uriCharsMax - 1)}`)).toBe(false)
  })
})

// SPEC ID-15
describe('AT-URIs', () => {
  test('are taken apart and put together', () => {
    const uri = atUri('did:web:example.com', 'app.bsky.feed.post', '3jzfcijpj2z2a')
    expect(parseAtUri(uri)).toEqual({
      authority: 'did:web:example.com',
      collection: 'app.bsky.feed.post',
      rkey: '3jzfcijpj2z2a',
    })
    expect(parseAtUri('at://alice.example.com')).toEqual({ authority: 'alice.example.com' })
  })

  test('have no query and no fragment', () => {
    expect(tryParseAtUri('at://did:web:example.com?a=b')).toBeUndefined()
    expect(tryParseAtUri('at://did:web:example.com/app.bsky.feed.post/a#b')).toBeUndefined()
    expect(() => parseAtUri('at://did:web:example.com/')).toThrow(InvalidIdentifierError)
  })
})

test('nsidAuthority reverses all but the name', () => {
  expect(nsidAuthority('edu.University.dept.getThing')).toBe('dept.university.edu')
})

test('parseAtIdentifier takes DIDs and handles', () => {
  expect(parseAtIdentifier('did:web:example.com')).toBe('did:web:example.com')
  expect(parseAtIdentifier('alice.example.com')).toBe('alice.example.com')
  expect(() => parseAtIdentifier('did:web:')).toThrow(InvalidIdentifierError)
})
