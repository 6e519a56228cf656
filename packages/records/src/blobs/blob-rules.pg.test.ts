import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { must } from '@rookery/std'
import { cidForRawDigest } from '@rookery/syntax'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type BlobFixture, openBlobFixture, png } from '../../test-support/blob-fixture.ts'
import { exif, exifSegment, jpeg } from '../../test-support/pictures.ts'
import { type BlobRules, checkBlobType, noBlobRules } from './blob-rules.ts'
import { collectBlobs } from './collect-blobs.ts'
import { BlobLocationRefusedError, BlobQuotaExceededError, BlobTypeRefusedError } from './errors.ts'
import { uploadBlob } from './upload-blob.ts'
import {
  findBlobUsage,
  getTenantBlobUsage,
  recountAccountUsage,
  recountTenantUsage,
  setAccountBlobQuota,
} from './usage-queries.ts'

let fixture: BlobFixture
let tenantId: number
beforeAll(async () => {
  fixture = await openBlobFixture('disk')
  const { rows } = await fixture.pool.query<{ id: number }>(`select id from tenant where slug = 'demo'`)
  tenantId = must(rows[0]).id
})
afterAll(async () => {
  await fixture[Symbol.asyncDispose]()
})

function uploadUnder(rules: Partial<BlobRules>, accountId: number, bytes: Uint8Array, mimeType?: string) {
  const body = Readable.from([Buffer.from(bytes)])
  const { hostId } = fixture
  const input = { hostId, accountId, body, mimeType, bytesMax: 1_000_000 }
  return uploadBlob(fixture.deps, { ...input, rules: { ...noBlobRules, ...rules } })
}

describe('the types that a tenant takes', () => {
  test.for([
    [['*/*'], [], true],
    [['image/*'], [], true],
    [['image/png'], [], true],
    [['image/jpeg', 'video/*'], [], false],
    [[], [], false],
    [['*/*'], ['image/png'], false],
    [['*/*'], ['image/*'], false],
    [['image/*'], ['image/gif'], true],
  ] as const)('%j without %j: a PNG is taken: %j', ([types, typesRefused, isTaken]) => {
    const check = (): boolean => {
      try {
        checkBlobType({ ...noBlobRules, types, typesRefused }, 'image/png')
        return true
      } catch (error) {
        if (error instanceof BlobTypeRefusedError) return false
        throw error
      }
    }
    expect(check()).toBe(isTaken)
  })

  test('are compared with what the bytes show, not with what the client says', async () => {
    const accountId = await fixture.createAccount()
    const rules = { types: ['text/*'] }
    await expect(uploadUnder(rules, accountId, png, 'text/plain')).rejects.toBeInstanceOf(
      BlobTypeRefusedError,
    )
    await expect(uploadUnder(rules, accountId, Buffer.alloc(0), 'image/png')).rejects.toBeInstanceOf(
      BlobTypeRefusedError,
    )
    expect(await fixture.objects(accountId)).toEqual([])
    const bytes = randomBytes(200_000)
    const taken = await uploadUnder(rules, accountId, bytes, 'text/plain')
    expect(taken).toMatchObject({ mimeType: 'text/plain', size: 200_000 })
    expect(taken.cid).toEqual((await fixture.upload(accountId, bytes)).cid)
  })

  test('refuse an upload before its end, without destroying its body', async () => {
    const accountId = await fixture.createAccount()
    const body = new PassThrough()
    body.write(Buffer.concat([png, Buffer.alloc(100_000)]))
    const { hostId } = fixture
    const rules = { ...noBlobRules, typesRefused: ['image/png'] }
    const done = uploadBlob(fixture.deps, { hostId, accountId, body, bytesMax: 1_000_000, rules })
    await expect(done).rejects.toBeInstanceOf(BlobTypeRefusedError)
    expect(body.destroyed).toBe(false)
    expect(await fixture.objects(accountId)).toEqual([])
  })
})

// SPEC BL-12
describe('the location of a recording', () => {
  const located = jpeg([exifSegment(exif())], randomBytes(300_000))

  test('is kept by default, refused, or removed before the blob has its CID', async () => {
    const accountId = await fixture.createAccount()
    const refused = uploadUnder({ location: 'reject' }, accountId, located)
    await expect(refused).rejects.toBeInstanceOf(BlobLocationRefusedError)
    expect(await fixture.objects(accountId)).toEqual([])
    const allowed = await uploadUnder({ location: 'allow' }, accountId, located)
    const stripped = await uploadUnder({ location: 'strip' }, accountId, located)
    expect(stripped).toMatchObject({ mimeType: 'image/jpeg', size: located.length })
    expect(stripped.cid).not.toEqual(allowed.cid)
    const row = await fixture.row(accountId, stripped.cid)
    const { body } = await fixture.store.get(String(row?.['object_key']))
    const stored = await buffer(body)
    expect(stripped.cid).toEqual(cidForRawDigest(createHash('sha256').update(stored).digest()))
    await expect(uploadUnder({ location: 'reject' }, accountId, stored)).resolves.toEqual(stripped)
  })

  test('is not looked for in what is no recording', async () => {
    const accountId = await fixture.createAccount()
    const text = Buffer.concat([Buffer.from('just text '), exif()])
    const blob = await uploadUnder({ location: 'reject' }, accountId, text, 'text/plain')
    expect(blob).toMatchObject({ mimeType: 'text/plain', size: text.length })
  })
})

// SPEC BL-13
describe('quotas', () => {
  test('let an account have as many bytes as it may, and not one more', async () => {
    const accountId = await fixture.createAccount()
    const rules = { accountBytesMax: 300 }
    const first = randomBytes(200)
    await uploadUnder(rules, accountId, first)
    await uploadUnder(rules, accountId, randomBytes(100))
    const refused = uploadUnder(rules, accountId, randomBytes(1))
    await expect(refused).rejects.toMatchObject({ name: 'BlobQuotaExceededError', of: 'account' })
    expect(await findBlobUsage(fixture.pool, accountId)).toMatchObject({ bytes: 300, count: 2 })
    expect(await fixture.objects(accountId)).toHaveLength(2)
    await expect(uploadUnder(rules, accountId, Buffer.alloc(0))).resolves.toMatchObject({ size: 0 })
    // What is there already takes no room.
    await expect(uploadUnder(rules, accountId, first)).resolves.toMatchObject({ size: 200 })
  })

  test('hold for uploads that run at once', async () => {
    const accountId = await fixture.createAccount()
    const uploads = Array.from({ length: 20 }, () =>
      uploadUnder({ accountBytesMax: 700 }, accountId, randomBytes(100)),
    )
    const results = await Promise.allSettled(uploads)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7)
    expect(await fixture.usage(accountId)).toEqual({ blob_bytes: 700, blob_count: 7 })
    expect(await fixture.objects(accountId)).toHaveLength(7)
  })

  test("may be an account's own, larger or smaller than its tenant's", async () => {
    const accountId = await fixture.createAccount()
    const rules = { accountBytesMax: 100 }
    await setAccountBlobQuota(fixture.pool, accountId, 250)
    await uploadUnder(rules, accountId, randomBytes(250))
    await expect(uploadUnder({}, accountId, randomBytes(1))).rejects.toBeInstanceOf(BlobQuotaExceededError)
    await setAccountBlobQuota(fixture.pool, accountId, null)
    await expect(uploadUnder({}, accountId, randomBytes(1))).resolves.toBeDefined()
    await expect(uploadUnder(rules, accountId, randomBytes(1))).rejects.toBeInstanceOf(BlobQuotaExceededError)
  })

  test('of a tenant are shared by its accounts', async () => {
    const [one, two] = [await fixture.createAccount(), await fixture.createAccount()]
    const before = await getTenantBlobUsage(fixture.pool, tenantId)
    const rules = { tenantBytesMax: before.bytes + 250 }
    await uploadUnder(rules, one, randomBytes(150))
    const refused = uploadUnder(rules, two, randomBytes(101))
    await expect(refused).rejects.toMatchObject({ name: 'BlobQuotaExceededError', of: 'tenant' })
    await uploadUnder(rules, two, randomBytes(100))
    expect(await getTenantBlobUsage(fixture.pool, tenantId)).toEqual({
      bytes: before.bytes + 250,
      count: before.count + 2,
    })
  })
})

describe('running totals', () => {
  async function sums() {
    const { rows } = await fixture.pool.query<{ account_id: number; bytes: number; count: number }>(
      `select account_id, sum(size)::bigint as bytes, count(*) as count from blob group by 1`,
    )
    return new Map(rows.map(({ account_id, bytes, count }) => [account_id, { bytes, count }]))
  }

  async function totals(): Promise<{ bytes: number; count: number }> {
    const all = [...(await sums()).values()]
    return {
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      count: all.reduce((sum, { count }) => sum + count, 0),
    }
  }

  test('equal the sums of the rows after uploads, commits and collections in any order at once', async () => {
    const accounts = await Promise.all(Array.from({ length: 6 }, () => fixture.createAccount()))
    const contents = Array.from({ length: 5 }, (_, i) => randomBytes(50 + i))
    let seed = 7
    const random = (n: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % n
    for (let round = 0; round < 12; round++) {
      const steps = Array.from({ length: 12 }, async (_, i) => {
        const accountId = must(accounts[random(accounts.length)])
        const bytes = must(contents[random(contents.length)])
        const step = random(4)
        if (step === 0) {
          await fixture.age(accountId, 86_400_000)
          await collectBlobs(fixture.deps)
        } else if (step === 1) {
          const { cid } = await fixture.upload(accountId, bytes)
          await fixture.addRef({ accountId, cid, rkey: `r${round}x${i}` })
        } else if (step === 2) await recountAccountUsage(fixture.pool, accountId)
        else await uploadUnder({ accountBytesMax: 180 }, accountId, bytes).catch(expectQuota)
      })
      await Promise.all(steps)
      const expected = await sums()
      for (const accountId of accounts) {
        const { bytes, count } = must(await findBlobUsage(fixture.pool, accountId))
        expect({ bytes, count }).toEqual(expected.get(accountId) ?? { bytes: 0, count: 0 })
      }
      expect(await getTenantBlobUsage(fixture.pool, tenantId)).toEqual(await totals())
    }
  })

  test('go with the account', async () => {
    const accountId = await fixture.createAccount()
    const before = await getTenantBlobUsage(fixture.pool, tenantId)
    await fixture.upload(accountId, randomBytes(100))
    await fixture.pool.query('delete from account_usage where account_id = $1', [accountId])
    expect(await getTenantBlobUsage(fixture.pool, tenantId)).toEqual(before)
    await recountAccountUsage(fixture.pool, accountId)
  })

  test('are repaired by a count', async () => {
    const accountId = await fixture.createAccount()
    await fixture.upload(accountId, randomBytes(100))
    await fixture.pool.query(
      `update account_usage set blob_bytes = 5, blob_count = 9 where account_id = $1`,
      [accountId],
    )
    expect(await recountAccountUsage(fixture.pool, accountId)).toEqual({
      before: { bytes: 5, count: 9 },
      after: { bytes: 100, count: 1 },
    })
    await fixture.pool.query(`delete from tenant_usage where shard = $1`, [accountId % 16])
    await fixture.pool.query(`update tenant_usage set blob_bytes = blob_bytes + 7`)
    const { after } = await recountTenantUsage(fixture.pool, tenantId)
    expect(after).toEqual(await totals())
    expect(await getTenantBlobUsage(fixture.pool, tenantId)).toEqual(after)
  })
})

function expectQuota(error: unknown): void {
  expect(error).toBeInstanceOf(BlobQuotaExceededError)
}
