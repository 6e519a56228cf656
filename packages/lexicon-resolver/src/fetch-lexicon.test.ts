import { createSafeFetch } from '@rookery/http'
import { txtResolver } from '@rookery/identity'
import {
  type LexiconAuthority,
  type TestNameserver,
  startLexiconAuthority,
  startTestNameserver,
} from '@rookery/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { LexiconNotFoundError } from './errors.ts'
import { type LexiconSources, fetchLexicon } from './fetch-lexicon.ts'
import { proofBytesMax } from './limits.ts'

const nsid = 'com.example.deep.note'
const schema = {
  lexicon: 1,
  id: nsid,
  defs: {
    main: {
      type: 'record',
      key: 'any',
      record: { type: 'object', properties: { text: { type: 'string' } } },
    },
  },
}

let nameserver: TestNameserver
let authority: LexiconAuthority
let sources: LexiconSources

beforeEach(async () => {
  nameserver = await startTestNameserver()
  authority = await startLexiconAuthority()
  nameserver.records.set('_lexicon.deep.example.com', [`did=${authority.did}`, 'v=spf1 -all'])
  sources = {
    resolveTxt: txtResolver([nameserver.address]),
    identities: { resolveDid: () => Promise.resolve(authority.document) },
    fetch: createSafeFetch({ allowPrivateNetwork: true, responseBytesMax: proofBytesMax }),
  }
  await authority.publish(nsid, schema)
})
afterEach(async () => {
  await authority[Symbol.asyncDispose]()
  await nameserver[Symbol.asyncDispose]()
})

// SPEC LEX-10
describe('fetchLexicon', () => {
  test('finds what the authority of a name publishes, and asks nobody else', async () => {
    for (let n = 0; n < 30; n++)
      await authority.publish(`com.example.deep.other${n}`, { ...schema, id: `com.example.deep.other${n}` })
    const { uri, cid, document } = await fetchLexicon(sources, nsid)
    expect(uri).toBe(`at://${authority.did}/com.atproto.lexicon.schema/${nsid}`)
    expect(cid).toMatch(/^bafyrei/)
    expect(document).toEqual({ $type: 'com.atproto.lexicon.schema', ...schema })
    expect(nameserver.queries).toEqual(['_lexicon.deep.example.com'])
    expect(authority.requests).toHaveLength(1)
  })

  test('finds it wherever in the tree of its repo it is', async () => {
    const others = Array.from({ length: 30 }, (_, n) => `com.example.deep.other${n}`)
    for (const id of others) await authority.publish(id, { ...schema, id })
    for (const id of others) expect((await fetchLexicon(sources, id)).document.id).toBe(id)
  })

  test.each<[what: string, arrange: () => unknown, reason: string]>([
    ['a domain without a record', () => nameserver.records.clear(), 'names no DID'],
    [
      'a record of the domain above',
      () => {
        nameserver.records.clear()
        nameserver.records.set('_lexicon.example.com', [`did=${authority.did}`])
      },
      'names no DID',
    ],
    [
      'two DIDs',
      () => nameserver.records.get('_lexicon.deep.example.com')!.push('did=did:web:other.example'),
      'names no DID',
    ],
    [
      'a DID that does not resolve',
      () => {
        sources.identities.resolveDid = () => Promise.reject(new Error('nobody'))
      },
      'could not be looked up',
    ],
    ['a DID without a PDS', () => delete authority.document['service'], 'has no PDS'],
    ['a DID without a key', () => delete authority.document['verificationMethod'], 'no signing key'],
    [
      'a PDS that answers with an error',
      () => {
        authority.bend = () => ({ status: 500, body: Buffer.from('no') })
      },
      'status 500',
    ],
    [
      'bytes that are no CAR',
      () => {
        authority.bend = () => ({ status: 200, body: Buffer.from('no car') })
      },
      'could not be looked up',
    ],
    [
      'a CAR cut short',
      () => {
        authority.bend = (car) => ({ status: 200, body: car.subarray(0, -10) })
      },
      'could not be looked up',
    ],
    [
      'a record that was changed on the way',
      () => {
        authority.bend = (car) => {
          const body = Buffer.from(car)
          body.write('note', body.lastIndexOf('text'), 'ascii')
          return { status: 200, body }
        }
      },
      'could not be looked up',
    ],
    [
      'an answer without end',
      () => {
        authority.bend = (car) => ({ status: 200, body: Buffer.concat([car, Buffer.alloc(proofBytesMax)]) })
      },
      'could not be looked up',
    ],
    [
      'a document of another name',
      () => authority.publish(nsid, { ...schema, id: 'com.example.deep.other' }),
      'is not its schema',
    ],
    [
      'a record of another type',
      () => authority.publish(nsid, { ...schema, $type: 'com.example.other' }),
      'is not its schema',
    ],
    [
      'a document that is none',
      () => authority.publish(nsid, { lexicon: 2, id: nsid, defs: {} }),
      'could not be looked up',
    ],
    [
      'a document larger than any',
      () => authority.publish(nsid, { ...schema, description: 'x'.repeat(129 * 1024) }),
      'bytes, more than',
    ],
    [
      'a document nested deeper than any',
      () => {
        let deep: object = { type: 'string' }
        for (let n = 0; n < 40; n++) deep = { type: 'array', items: deep }
        const record = { type: 'object', properties: { deep } }
        return authority.publish(nsid, { ...schema, defs: { main: { type: 'record', key: 'any', record } } })
      },
      'could not be looked up',
    ],
  ])('does not take %s', async (_, arrange, reason) => {
    await arrange()
    await expect(fetchLexicon(sources, nsid)).rejects.toThrow(LexiconNotFoundError)
    await expect(fetchLexicon(sources, nsid)).rejects.toThrow(reason)
  })

  describe('with another authority', () => {
    let other: LexiconAuthority

    /** The other's key, as that of the authority. */
    const otherKey = (): object[] =>
      (other.document['verificationMethod'] as object[]).map((method) => ({
        ...method,
        id: '#atproto',
        controller: authority.did,
      }))

    beforeEach(async () => {
      other = await startLexiconAuthority()
      await other.publish(nsid, schema)
    })
    afterEach(() => other[Symbol.asyncDispose]())

    test('does not take a commit that another key has signed', async () => {
      authority.document = { ...authority.document, verificationMethod: otherKey() }
      await expect(fetchLexicon(sources, nsid)).rejects.toMatchObject({
        cause: expect.objectContaining({ message: expect.stringContaining('not that of the DID') }),
      })
      expect(authority.requests).toHaveLength(1)
    })

    test('does not take a commit of another DID, whoever has signed it', async () => {
      authority.document = { ...other.document, id: authority.did, verificationMethod: otherKey() }
      await expect(fetchLexicon(sources, nsid)).rejects.toMatchObject({
        cause: expect.objectContaining({ message: expect.stringContaining('not that of the DID') }),
      })
      expect(other.requests).toHaveLength(1)
    })
  })

  test('asks no address of a private network where that is not allowed', async () => {
    sources.fetch = createSafeFetch({ allowPrivateNetwork: false })
    await expect(fetchLexicon(sources, nsid)).rejects.toThrow(LexiconNotFoundError)
    expect(authority.requests).toEqual([])
  })

  test('gives up on a nameserver that never answers', async () => {
    sources.resolveTxt = () => new Promise(() => {})
    await expect(fetchLexicon(sources, nsid)).rejects.toThrow('nobody answered in time')
  })
})
