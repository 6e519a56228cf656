import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { readCarWithRoot, verifyRepoCar } from '@atproto/repo'
import { TreeBuilder, collectCar, decodeCommit, memoryStore, verifyRepo } from '@rookery/repo'
import { must } from '@rookery/std'
import { JsonText, cidEquals, cidToString } from '@rookery/syntax'
import {
  type TestBlobStore,
  type TestDatabase,
  createTestBlobStore,
  createTestDatabase,
} from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type AccountRepo, createAccountRepo } from '../../test-support/account-repo.ts'
import { TestImporter } from '../../test-support/test-car.ts'
import { queuedEvents } from '../../test-support/test-repo.ts'
import { RecordReader, RepoExporter, listMissingBlobs } from '../index.ts'
import { findHead } from '../storage/storage-queries.ts'

// The exports belong to real people and are not ours to publish: they lie beside the repository, not in it.
const folder = join(
  process.env['ROOKERY_SHARED'] ?? join(import.meta.dirname, '../../../../../shared'),
  'data',
)
const present = existsSync(folder)
if (!present) {
  process.stderr.write(
    `\n*** The import of real repositories was NOT checked: ${folder} does not exist.\n` +
      '*** Set ROOKERY_SHARED to the folder whose "data" holds the three .repo.car files.\n\n',
  )
}

describe.runIf(present)('real repositories', () => {
  let db: TestDatabase
  let blobs: TestBlobStore
  beforeAll(async () => {
    db = await createTestDatabase()
    blobs = await createTestBlobStore('disk')
  })
  afterAll(async () => {
    await blobs[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })

  /** Reads every record by the functions that serve them, and returns the root of the tree that they make. */
  async function readAll(repo: AccountRepo, car: Uint8Array): Promise<string> {
    const { hostId, did } = repo
    const reader = new RecordReader(db.pool)
    const { roots, blocks } = await collectCar([car])
    const { records } = await verifyRepo(roots[0], memoryStore(blocks))
    const builder = new TreeBuilder(() => {})
    const counts = new Map<string, number>()
    for await (const { path, cid } of records) {
      const [collection = '', rkey = ''] = path.split('/')
      counts.set(collection, (counts.get(collection) ?? 0) + 1)
      const served = JSON.parse(
        (await reader.getRecord({ hostId, repo: did, collection, rkey })).toString(),
      ) as { cid: string; value: unknown }
      expect(served.cid).toBe(cidToString(cid))
      expect(served.value).toEqual(
        JSON.parse(
          new JsonText(1_000)
            .cbor(must(blocks.get(cid)))
            .finish()
            .toString(),
        ),
      )
      builder.add(path, cid)
    }
    for (const [collection, count] of counts) expect(await countListed(repo, collection)).toBe(count)
    return cidToString(builder.finish())
  }

  async function countListed({ hostId, did }: AccountRepo, collection: string): Promise<number> {
    const reader = new RecordReader(db.pool)
    let listed = 0
    let cursor: string | undefined
    do {
      const options = { hostId, repo: did, collection, limit: 100, cursor, reverse: false }
      const page = JSON.parse((await reader.listRecords(options)).toString()) as {
        records: unknown[]
        cursor?: string
      }
      listed += page.records.length
      cursor = page.cursor
    } while (cursor !== undefined)
    return listed
  }

  async function exportRepo(repo: AccountRepo): Promise<Buffer> {
    const stream = await new RepoExporter(db.pool).open(repo, { allowInactive: false })
    return Buffer.concat(await stream.toArray())
  }

  test.each([
    { name: 'fakermaker', count: 142 },
    { name: 'paul_staging', count: 185 },
    { name: 'greenground', count: 2 },
  ])(
    '$name: imported, every record is readable, and the export is the same tree',
    async ({ name, count }) => {
      const car = readFileSync(join(folder, `${name}.repo.car`))
      const { roots, blocks } = await collectCar([car])
      const theirs = decodeCommit(must(blocks.get(roots[0])))
      const repo = await createAccountRepo(db.database, { did: theirs.did, status: 'deactivated' })
      const importer = new TestImporter(db.database, blobs.store)
      const result = await importer.import(repo, car)
      expect(result).toMatchObject({ records: count, changes: count })
      expect(await queuedEvents(db.database, repo.accountId)).toEqual([])
      expect(await importer.objects(repo)).toEqual([])
      await db.pool.query(`update repo set status = 'active' where account_id = $1`, [repo.accountId])
      expect(await readAll(repo, car)).toBe(cidToString(theirs.data))

      // The tree is theirs, the signature and the rev are ours.
      const head = must(await findHead(db.pool, repo.accountId))
      expect(head.rev).toBe(result.rev)
      expect(head.rev > (theirs.rev ?? '')).toBe(true)
      const exported = await exportRepo(repo)
      const verified = await verifyRepoCar(exported, repo.did, repo.keypair.did())
      expect(verified.creates).toHaveLength(count)
      expect(verified.commit).toMatchObject({ rev: result.rev })
      expect((await readCarWithRoot(exported)).root.toString()).toBe(cidToString(head.head))
      const others = [...(await collectCar([exported])).blocks].filter(
        ({ cid }) => !cidEquals(cid, head.head),
      )
      for (const { cid, bytes } of others) expect(Buffer.compare(must(blocks.get(cid)), bytes)).toBe(0)
      const missing = await listMissingBlobs(db.pool, repo.accountId, { limit: 1_000 })
      const mentionsImages = car.includes('image/jpeg') || car.includes('image/png')
      expect(missing.length > 0).toBe(mentionsImages)
    },
  )
})
