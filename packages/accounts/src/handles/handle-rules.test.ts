import { InvalidHandleError } from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

import { HandleNotAvailableError } from '../errors.ts'
import { assertCustomHandle, assertDecentHandle, assertHandleUnderDomain } from './handle-rules.ts'
import { reservedLabels } from './reserved-labels.ts'
import { reservedNames } from './reserved-names.ts'

const rules = { reservedHandles: ['dean'], offensiveWords: ['blorb'] }

describe('assertHandleUnderDomain', () => {
  test.each(['abc.test', 'a-c.test', `${'x'.repeat(18)}.test`, '123.test'])('takes %s', (handle) => {
    expect(() => assertHandleUnderDomain(handle, '.test', rules)).not.toThrow()
  })

  test('counts the label alone, however long the domain', () => {
    const domain = `.${'pds'.repeat(12)}.some.provider.example.com`
    expect(() => assertHandleUnderDomain(`${'x'.repeat(18)}${domain}`, domain, rules)).not.toThrow()
    expect(() => assertHandleUnderDomain(`${'x'.repeat(19)}${domain}`, domain, rules)).toThrow(
      'Handle too long',
    )
  })

  test.each([
    ['ab.test', 'Handle too short'],
    [`${'x'.repeat(19)}.test`, 'Handle too long'],
    ['alice.bob.test', 'Invalid characters in handle'],
  ])('refuses %s: %s', (handle, message) => {
    expect(() => assertHandleUnderDomain(handle, '.test', rules)).toThrow(InvalidHandleError)
    expect(() => assertHandleUnderDomain(handle, '.test', rules)).toThrow(message)
  })

  const words = ['admin', 'www', 'about', 'atp', 'atproto', 'nsid', 'xrpc', 'postmaster', 'bsky']
  test.each([...words, 'spotify', 'barackobama', 'dean'])('reserves %s', (label) => {
    expect(() => assertHandleUnderDomain(`${label}.test`, '.test', rules)).toThrow(HandleNotAvailableError)
  })

  test('every reserved label is one in lower case, in one list', () => {
    const labels = [...reservedLabels, ...reservedNames]
    expect(labels.filter((label) => !/^[a-z0-9][a-z0-9-]*$/.test(label))).toEqual([])
    expect([...reservedNames].filter((label) => reservedLabels.has(label))).toEqual([])
    expect(labels.length).toBeGreaterThan(900)
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

describe('assertDecentHandle', () => {
  const slurs = [
    'nigger',
    'n1gg3r',
    'niiiggerrr',
    'ni-gg-er',
    'the-nigger-1',
    'coon',
    'c00ns',
    'a-coon',
    'k1ke88',
  ]
  const words = ['blorb', 'my-bl0rb', 'bloorbs']
  test.each([...slurs, ...words])('finds %s offensive', (label) => {
    for (const handle of [`${label}.test`, `www.${label}.example.com`]) {
      expect(() => assertDecentHandle(handle, rules)).toThrow('Inappropriate language in handle')
    }
    expect(() => assertHandleUnderDomain(`${label}.test`, '.test', rules)).toThrow(InvalidHandleError)
  })

  // Words, places and names that have such a word in them, or nearly.
  const taken = [
    'raccoon',
    'tycoon',
    'niger',
    'nigeria',
    'chinkara',
    'spice',
    'conspicuous',
    'fagan',
    'pakistan',
  ]
  test.each(taken)('lets %s pass', (label) => {
    expect(() => assertDecentHandle(`${label}.test`, rules)).not.toThrow()
  })
})
