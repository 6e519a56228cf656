import { Secp256k1Keypair, verifySignature } from '@atproto/crypto'
import * as dagCbor from '@ipld/dag-cbor'
import { cidForCbor, tidFrom } from '@rookery/syntax'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'

import { decodeCommit, encodeCommit, encodeUnsignedCommit, signCommit, verifyCommit } from './commit.ts'
import { InvalidCommitError } from './errors.ts'

const data = cidForCbor(Buffer.from('tree'))
const link = CID.decode(data)
const sig = Buffer.alloc(64, 7)
const rev = tidFrom(1_700_000_000_000_000, 3)
const did = 'did:plc:dpg45vsnuir2vqqqadsn6afg'
const sound = { did, rev, sig, data: link, prev: null, version: 3 }

describe('the commit codec', () => {
  // SPEC REP-1
  test('writes what @ipld/dag-cbor writes, and reads it back', () => {
    const dids = fc.oneof(
      fc.stringMatching(/^did:plc:[a-z2-7]{24}$/),
      fc.stringMatching(/^did:web:[a-z0-9-]{1,300}\.example$/),
    )
    fc.assert(
      fc.property(dids, fc.nat(), fc.uint8Array({ minLength: 64, maxLength: 64 }), (did, micros, sig) => {
        const commit = { did, rev: tidFrom(micros, 1), data }
        const plain = { did, rev: commit.rev, data: link, prev: null, version: 3 }
        expect(encodeUnsignedCommit(commit).equals(dagCbor.encode(plain))).toBe(true)
        const block = encodeCommit(commit, sig)
        expect(Buffer.from(block.bytes).equals(dagCbor.encode({ ...plain, sig }))).toBe(true)
        expect(block.cid).toEqual(cidForCbor(block.bytes))
        expect(decodeCommit(block.bytes)).toEqual({
          ...commit,
          version: 3,
          prev: null,
          sig: Buffer.from(sig),
        })
      }),
    )
  })

  // SPEC REP-2
  test('signs and verifies', async () => {
    const key = await Secp256k1Keypair.create()
    const verify = (bytes: Uint8Array, sig: Uint8Array) => verifySignature(key.did(), bytes, sig)
    const block = await signCommit({ did, rev, data }, (bytes) => key.sign(bytes))
    const commit = decodeCommit(block.bytes)
    expect(await verifyCommit(commit, verify)).toBe(true)
    expect(await verifyCommit({ ...commit, rev: tidFrom(0, 0) }, verify)).toBe(false)
  })

  // SPEC REP-5
  test('reads version 2, with and without a rev and a previous commit, and verifies it', async () => {
    const key = await Secp256k1Keypair.create()
    for (const unsigned of [
      { did, data: link, prev: null, version: 2 },
      { did, data: link, prev: link, version: 2 },
      { did, rev, data: link, prev: null, version: 2 },
    ]) {
      const signature = await key.sign(dagCbor.encode(unsigned))
      const commit = decodeCommit(dagCbor.encode({ ...unsigned, sig: signature }))
      expect(commit.version).toBe(2)
      expect(await verifyCommit(commit, (bytes, sig) => verifySignature(key.did(), bytes, sig))).toBe(true)
    }
  })

  // SPEC REP-1
  test.each<[string, object]>([
    ['version 1', { ...sound, version: 1 }],
    ['version 4', { ...sound, version: 4 }],
    ['a missing prev', { did, rev, sig, data: link, version: 3 }],
    ['a missing rev in version 3', { did, sig, data: link, prev: null, version: 3 }],
    ['a missing signature', { did, rev, data: link, prev: null, version: 3 }],
    ['an unknown field', { ...sound, extra: true }],
    ['a short signature', { ...sound, sig: sig.subarray(1) }],
    ['a rev that is no TID', { ...sound, rev: 'zzzzzzzzzzzzz' }],
    ['a short rev', { ...sound, rev: '3k67up3j7hf2' }],
    ['a did that is none', { ...sound, did: 'plc:abc' }],
    ['a did with other characters', { ...sound, did: 'did:plc:é' }],
    ['data that is null', { ...sound, data: null }],
    ['a list', []],
  ])('refuses %s', (_, value) => {
    expect(() => decodeCommit(dagCbor.encode(value))).toThrow(InvalidCommitError)
  })

  test('refuses to encode what it would not read', () => {
    expect(() => encodeUnsignedCommit({ did: 'x', rev, data })).toThrow(InvalidCommitError)
    expect(() => encodeUnsignedCommit({ did, rev: 'x', data })).toThrow(InvalidCommitError)
    expect(() => encodeCommit({ did, rev, data }, sig.subarray(1))).toThrow(InvalidCommitError)
  })

  test('answers mutated commits with a commit or a typed error', () => {
    const bytes = Buffer.from(dagCbor.encode(sound))
    const mutation = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(mutation, fc.nat(bytes.length), (changes, cut) => {
        const mutated = Buffer.from(bytes)
        for (const [at, byte] of changes) mutated[at] = byte
        for (const input of [mutated, mutated.subarray(0, cut)]) {
          const commit = attempt(() => decodeCommit(input))
          expect(commit === undefined || isSame(commit, input)).toBe(true)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

/** Tells whether a general encoder makes the same bytes of what was read. */
function isSame(commit: ReturnType<typeof decodeCommit>, bytes: Uint8Array): boolean {
  const { rev, prev, ...rest } = commit
  const value = {
    ...rest,
    ...(rev === undefined ? {} : { rev }),
    data: CID.decode(commit.data),
    prev: prev && CID.decode(prev),
  }
  return Buffer.from(bytes).equals(dagCbor.encode(value))
}

/** Returns the result, or undefined for the error that a bad commit has. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof InvalidCommitError) return undefined
    throw error
  }
}
