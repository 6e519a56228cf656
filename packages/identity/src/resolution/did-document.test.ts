import { describe, expect, test } from 'vitest'

import { type DidDocument, atprotoData, toDidDocument } from './did-document.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const publicKeyMultibase = 'zQ3shunBKsXixLxKtC5qeSG9E4J5RkGN57im31pcTzbNQnm5w'
const key = { id: '#atproto', type: 'Multikey', controller: did, publicKeyMultibase }
const pds = {
  id: '#atproto_pds',
  type: 'AtprotoPersonalDataServer',
  serviceEndpoint: 'https://pds.example.com',
}

function documentOf(fields: Record<string, unknown>): DidDocument {
  return {
    id: did,
    alsoKnownAs: ['at://alice.example.com'],
    verificationMethod: [key],
    service: [pds],
    ...fields,
  }
}

// SPEC IDN-6
describe('atprotoData', () => {
  test('reads handle, key and PDS, their ids relative or absolute', () => {
    const expected = {
      did,
      handle: 'alice.example.com',
      signingKey: `did:key:${publicKeyMultibase}`,
      pdsUrl: 'https://pds.example.com',
    }
    expect(atprotoData(documentOf({}))).toEqual(expected)
    const absolute = {
      verificationMethod: [{ ...key, id: `${did}#atproto` }],
      service: [{ ...pds, id: `${did}#atproto_pds` }],
    }
    expect(atprotoData(documentOf(absolute))).toEqual(expected)
  })

  test('the first match wins, and a later duplicate does not repair it', () => {
    const aliases = ['https://alice.example', 'at://Alice.Example.com', 'at://bob.example.com']
    expect(atprotoData(documentOf({ alsoKnownAs: aliases })).handle).toBe('alice.example.com')
    expect(
      atprotoData(documentOf({ alsoKnownAs: ['at://-', 'at://bob.example.com'] })).handle,
    ).toBeUndefined()
    const service = [{ ...pds, type: 'Other' }, pds]
    expect(atprotoData(documentOf({ service })).pdsUrl).toBeUndefined()
  })

  test.each([
    ['a key of another controller', { verificationMethod: [{ ...key, controller: 'did:plc:other' }] }],
    ['a malformed key', { verificationMethod: [{ ...key, publicKeyMultibase: 'z?' }] }],
    ['no list', { verificationMethod: 'none' }],
    ['nothing', { verificationMethod: [null, 1] }],
  ])('has no signing key in %s', (_name, fields) => {
    expect(atprotoData(documentOf(fields)).signingKey).toBeUndefined()
  })

  test.each([
    'https://pds.example.com/path',
    'https://user@pds.example.com',
    'ftp://pds.example.com',
    'pds',
    7,
  ])('takes no endpoint %s', (serviceEndpoint) => {
    expect(atprotoData(documentOf({ service: [{ ...pds, serviceEndpoint }] })).pdsUrl).toBeUndefined()
  })
})

test('toDidDocument takes a document of the DID only', () => {
  expect(toDidDocument({ id: did }, did)).toEqual({ id: did })
  for (const value of [null, [], 'text', {}, { id: 'did:plc:other' }]) {
    expect(toDidDocument(value, did)).toBeUndefined()
  }
})
