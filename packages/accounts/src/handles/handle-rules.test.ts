import { InvalidHandleError } from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { HandleNotAvailableError } from '../errors.ts'
import { assertCustomHandle, assertHandleUnderDomain } from './handle-rules.ts'
import { reservedLabels } from './reserved-labels.ts'

describe('assertHandleUnderDomain', () => {
  test.each(['abc.test', 'a-c.test', `${'x'.repeat(18)}.test`, '123.test'])('takes %s', (handle) => {
    expect(() => assertHandleUnderDomain(handle, '.test')).not.toThrow()
  })

  test('counts the label alone, however long the domain', () => {
    const domain = `.${'pds'.repeat(12)}.some.provider.example.com`
    expect(() => assertHandleUnderDomain(`${'x'.repeat(18)}${domain}`, domain)).not.toThrow()
    expect(() => assertHandleUnderDomain(`${'x'.repeat(19)}${domain}`, domain)).toThrow('Handle too long')
  })

  test.each([
    ['ab.test', 'Handle too short'],
    [`${'x'.repeat(19)}.test`, 'Handle too long'],
    ['alice.bob.test', 'Invalid characters in handle'],
  ])('refuses %s: %s', (handle, message) => {
    expect(() => assertHandleUnderDomain(handle, '.test')).toThrow(InvalidHandleError)
    expect(() => assertHandleUnderDomain(handle, '.test')).toThrow(message)
  })

  test.each(['admin', 'www', 'about', 'atp', 'atproto', 'nsid', 'xrpc', 'postmaster', 'bsky'])(
    'reserves %s',
    (label) => {
      expect(() => assertHandleUnderDomain(`${label}.test`, '.test')).toThrow(HandleNotAvailableError)
    },
  )

  test('every reserved label is one in lower case', () => {
    expect([...reservedLabels].filter((label) => !/^[a-z0-9][a-z0-9-]*$/.test(label))).toEqual([])
    expect(reservedLabels.size).toBeGreaterThan(500)
  })
})

// SPEC ID-14
test('assertCustomHandle refuses names that are not on the public DNS', () => {
  expect(() => assertCustomHandle('alice.example.com', { allowTest: false })).not.toThrow()
  for (const top of ['local', 'arpa', 'invalid', 'localhost', 'onion', 'internal', 'test']) {
    const handle = `alice.${top}`
    expect(() => assertCustomHandle(handle, { allowTest: false })).toThrow(InvalidHandleError)
  }
  expect(() => assertCustomHandle('alice.test', { allowTest: true })).not.toThrow()
})
