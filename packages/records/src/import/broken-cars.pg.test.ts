import { JobRefusedError } from '@rookery/jobs'
import { type Block, type Sign, TreeBuilder, encodeCar, signCommit } from '@rookery/repo'
import { cidForCbor } from '@rookery/syntax'
import {
  type TestBlobStore,
  type TestDatabase,
  createTestBlobStore,
  createTestDatabase,
} from '@rookery/testkit'
import fc, { type Arbitrary } from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type AccountRepo, createAccountRepo } from '../../test-support/account-repo.ts'
import { TestImporter, blockOf, foreignRev } from '../../test-support/test-car.ts'

const collection = 'app.bsky.feed.post'
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const anySignature: Sign = () => new Uint8Array(64)

let db: TestDatabase
let blobs: TestBlobStore
let importer: TestImporter
let repo: AccountRepo
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 4 })
  blobs = await createTestBlobStore('disk')
  importer = new TestImporter(db.database, blobs.store)
  repo = await createAccountRepo(db.database)
})
afterAll(async () => {
  await blobs[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

type Bytes = Uint8Array
/** Bytes put at places, counted through. */
type Change = [place: number, byte: number][]

const change: Arbitrary<Change> = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 })
const scalar = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
const value = fc.oneof(
  scalar,
  fc.array(scalar),
  fc.dictionary(fc.string(), scalar, { noNullPrototype: true }),
)
const data = value.map((each) => blockOf({ $type: collection, value: each }).bytes)
const record: Arbitrary<Bytes> = fc.oneof(
  data,
  fc.tuple(data, change).map(([bytes, changes]) => changed(bytes, changes)),
  fc.uint8Array({ maxLength: 40 }),
)
// Other paths come about where the bytes of a node are changed.
const path = fc.nat(1_000).map((n) => `${collection}/key${n}`)
const records = fc.uniqueArray(fc.tuple(path, record), { maxLength: 6, selector: ([name]) => name })

function changed(bytes: Bytes, changes: Change): Buffer {
  const copy = Buffer.from(bytes)
  for (const [place, byte] of changes) copy[place % copy.length] = byte
  return copy
}

function blockFrom(bytes: Bytes): Block {
  return { cid: cidForCbor(bytes), bytes }
}

/** Returns how an import ends; what is neither done nor refused is a mistake of this program. */
async function outcomeOf(bytes: Bytes): Promise<string> {
  try {
    await importer.import(repo, bytes)
    return 'done'
  } catch (error) {
    return error instanceof JobRefusedError ? 'refused' : String(error)
  }
}

describe(`seed ${seed}`, () => {
  test('a CAR whose blocks are linked but hold anything is imported or refused', async () => {
    await fc.assert(
      fc.asyncProperty(records, change, change, async (entries, ofNode, ofCommit) => {
        const blocks = entries
          .map(([name, bytes]) => ({ name, ...blockFrom(bytes) }))
          .toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
        const nodes: Block[] = []
        const builder = new TreeBuilder((node) => nodes.push(node))
        for (const { name, cid } of blocks) builder.add(name, cid)
        builder.finish()
        // The root of the tree is the node that was finished last.
        const root = blockFrom(changed(nodes.at(-1)!.bytes, ofNode))
        const signed = await signCommit({ did: repo.did, rev: foreignRev(), data: root.cid }, anySignature)
        const commit = blockFrom(changed(signed.bytes, ofCommit))
        const car = encodeCar(commit.cid, [commit, ...nodes, root, ...blocks])
        expect(['done', 'refused']).toContain(await outcomeOf(car))
      }),
      { numRuns: 150, seed },
    )
  })

  test('bytes that are no CAR are refused', async () => {
    const { cid, bytes } = blockOf({ $type: collection, text: 'words' })
    const car = encodeCar(cid, [{ cid, bytes }])
    const broken = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(change, fc.nat(car.length))
        .map(([changes, length]) => changed(car, changes).subarray(0, length)),
    )
    await fc.assert(
      fc.asyncProperty(broken, async (each) => {
        expect(await outcomeOf(each)).toBe('refused')
      }),
      { numRuns: 150, seed },
    )
  })
})
