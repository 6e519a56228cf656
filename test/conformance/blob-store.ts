import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { type BlobStore, BlobObjectNotFoundError, BlobRangeError, blobKey, partBytes } from '@rookery/blobs'
import { AssertionError } from '@rookery/std'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** A store to be tested, alone in its place. */
export type BlobStoreUnderTest = AsyncDisposable & { store: BlobStore; hasPublicEndpoint: boolean }

const hourMs = 3_600_000
let lastAccount = 0

/** Returns a maker of keys under an account of its own, so that tests do not see each other's objects. */
function keysOfAccount(hostId = 1): { prefix: string; key: (name: string) => string } {
  const accountId = ++lastAccount
  return {
    prefix: `${hostId}/${accountId}/`,
    key: (name) => blobKey({ hostId, accountId, name: name.padEnd(8, '0') }),
  }
}

/** What the groups of tests share; the store exists once tests run. */
type Suite = {
  store: () => BlobStore
  hasPublicEndpoint: () => boolean
  put: (key: string, bytes: Uint8Array) => Promise<void>
}

/** A source that never has more than a chunk ready; `read` counts what was taken from it. */
function slowSource(size: number, chunkBytes: number): { body: Readable; read: () => number } {
  let read = 0
  async function* chunks(): AsyncGenerator<Buffer> {
    while (read < size) {
      const chunk = Buffer.alloc(Math.min(chunkBytes, size - read), read % 251)
      read += chunk.length
      yield chunk
    }
  }
  return { body: Readable.from(chunks(), { objectMode: false }), read: () => read }
}

/** Reads what a signed URL answers, and what it answers to whoever changes it. */
async function readSigned(url: string): Promise<object> {
  const whole = await fetch(url)
  const status = async (changed: string) => ({ status: (await fetch(changed)).status })
  return {
    whole: {
      status: whole.status,
      type: whole.headers.get('content-type'),
      disposition: whole.headers.get('content-disposition'),
      bytes: Buffer.from(await whole.arrayBuffer()),
    },
    tampered: await status(url.replace('/signed', '/others')),
    extended: await status(url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600')),
  }
}

/** Checks an implementation of `BlobStore` against its contract. */
export function testBlobStore(name: string, open: () => Promise<BlobStoreUnderTest>): void {
  describe(`BlobStore: ${name}`, () => {
    let opened: BlobStoreUnderTest

    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      await opened[Symbol.asyncDispose]()
    })

    const suite: Suite = {
      store: () => opened.store,
      hasPublicEndpoint: () => opened.hasPublicEndpoint,
      put: async (key, bytes) => {
        await opened.store.put(key, Readable.from([bytes]))
      },
    }
    testReading(suite)
    testDeleting(suite)
    testListing(suite)
    testGivingUp(suite)
    testStreaming(suite)
    testRefusing(suite)
  })
}

function testReading({ store, put, hasPublicEndpoint }: Suite): void {
  test('signs URLs that answer the object as asked and nothing else, if it has an address', async () => {
    const { key } = keysOfAccount()
    const bytes = randomBytes(1_000)
    await put(key('signed'), bytes)
    const as = { contentType: 'image/png', contentDisposition: 'attachment; filename="a b"' }
    const url = await store().signUrl(key('signed'), { expiresMs: 60_000, ...as })
    const answers = url === undefined ? undefined : await readSigned(url)
    const expected = { status: 200, type: as.contentType, disposition: as.contentDisposition, bytes }
    const refused = { status: 403 }
    const all = { whole: expected, tampered: refused, extended: refused }
    expect(answers).toEqual(hasPublicEndpoint() ? all : undefined)
  })

  for (const size of [0, 1, 70_000, partBytes, partBytes + 1, 2 * partBytes + 12_345]) {
    test(`returns the ${size} bytes that were stored`, async () => {
      const key = keysOfAccount().key('whole')
      const bytes = randomBytes(size)
      const source = Buffer.from(bytes)
      expect(await store().put(key, Readable.from([source.subarray(0, 10), source.subarray(10)]))).toBe(size)
      const object = await store().get(key)
      expect(object).toMatchObject({ size, length: size })
      expect(Buffer.compare(await buffer(object.body), bytes)).toBe(0)
    })
  }

  test('stores a body of very many very small chunks', async () => {
    const key = keysOfAccount().key('crumbs')
    const bytes = randomBytes(7_000)
    const crumbs = Array.from({ length: 1_000 }, (_, i) => Buffer.from(bytes.subarray(i * 7, i * 7 + 7)))
    expect(await store().put(key, Readable.from(crumbs))).toBe(7_000)
    const { body } = await store().get(key)
    expect(Buffer.compare(await buffer(body), bytes)).toBe(0)
  })

  test('returns ranges, cut at the end of the object', async () => {
    const key = keysOfAccount().key('ranges')
    await put(key, Buffer.from('0123456789'))
    for (const [start, end, expected] of [
      [0, 0, '0'],
      [3, 5, '345'],
      [9, 9, '9'],
      [7, 1_000, '789'],
      [0, 9, '0123456789'],
    ] as const) {
      const object = await store().get(key, { start, end })
      expect(object).toMatchObject({ size: 10, length: expected.length })
      expect((await buffer(object.body)).toString()).toBe(expected)
    }
  })

  test('refuses a range that starts at the end', async () => {
    const key = keysOfAccount().key('beyond')
    await put(key, Buffer.from('0123456789'))
    await expect(store().get(key, { start: 10, end: 20 })).rejects.toBeInstanceOf(BlobRangeError)
  })

  test('tells what it knows of an object', async () => {
    const key = keysOfAccount().key('head')
    const before = Date.now()
    await put(key, Buffer.from('abc'))
    const info = await store().head(key)
    expect(info).toMatchObject({ key, size: 3 })
    expect(Math.abs((info?.modifiedAt.getTime() ?? 0) - before)).toBeLessThan(10_000)
  })

  test('says that a missing object is missing', async () => {
    const key = keysOfAccount().key('missing')
    expect(await store().head(key)).toBeUndefined()
    await expect(store().get(key)).rejects.toBeInstanceOf(BlobObjectNotFoundError)
    await expect(store().get(key, { start: 0, end: 1 })).rejects.toBeInstanceOf(BlobObjectNotFoundError)
  })
}

function testDeleting({ store, put }: Suite): void {
  test('deletes, again and again', async () => {
    const key = keysOfAccount().key('deleted')
    await put(key, Buffer.from('abc'))
    await store().delete(key)
    expect(await store().head(key)).toBeUndefined()
    await store().delete(key)
  })

  test('deletes many, missing ones among them, and nothing else', async () => {
    const { key, prefix } = keysOfAccount()
    const keys = Array.from({ length: 40 }, (_, i) => key(`many${i}x`))
    await Promise.all(keys.slice(0, 30).map((one) => put(one, Buffer.from(one))))
    await store().deleteMany(keys.slice(1))
    const left = await store().list({ prefix })
    expect(left.map((entry) => entry.key)).toEqual(keys.slice(0, 1))
    await store().deleteMany([])
  })

  test('stores beside a deletion that empties the same directory', async () => {
    const { key, prefix } = keysOfAccount()
    for (let round = 0; round < 20; round++) {
      const names = Array.from({ length: 4 }, (_, i) => key(`same${round}x${i}`))
      await put(names[0] ?? '', Buffer.from('a'))
      await Promise.all([
        store().delete(names[0] ?? ''),
        ...names.slice(1).map((one) => put(one, Buffer.from('b'))),
      ])
      const listed = await store().list({ prefix })
      expect(listed.map((entry) => entry.key)).toEqual(names.slice(1))
      await store().deleteMany(names)
    }
  })
}

function testListing({ store, put }: Suite): void {
  test('lists pages in the order of keys', async () => {
    const { key, prefix } = keysOfAccount()
    const names = ['b2', 'a1', 'Zz', '_x', '09', 'b1', 'a9', 'ba'].map((start) => key(start))
    for (const name of names) await put(name, Buffer.from(name))
    const expected = names.toSorted()
    const seen: string[] = []
    for (let after: string | undefined; ;) {
      const page = await store().list({ prefix, after, limit: 3 })
      expect(page.length).toBeLessThanOrEqual(3)
      if (page.length === 0) break
      seen.push(...page.map((entry) => entry.key))
      after = seen.at(-1)
    }
    expect(seen).toEqual(expected)
    const [first] = await store().list({ prefix, limit: 1 })
    expect(first).toMatchObject({ key: expected[0], size: expected[0]?.length })
  })

  test('lists by host, across accounts whose numbers differ in length', async () => {
    const hostId = 77
    const keys = [1, 2, 10, 100, 20].map((accountId) => blobKey({ hostId, accountId, name: 'aaaaaaaa' }))
    for (const key of keys) await put(key, Buffer.from('x'))
    const expected = keys.toSorted()
    const all = await store().list({ prefix: `${hostId}/` })
    expect(all.map((entry) => entry.key)).toEqual(expected)
    const rest = await store().list({ prefix: `${hostId}/`, after: expected[1] })
    expect(rest.map((entry) => entry.key)).toEqual(expected.slice(2))
    const one = await store().list({ prefix: `${hostId}/10/` })
    expect(one.map((entry) => entry.key)).toEqual([`${hostId}/10/aaaaaaaa`])
    expect(await store().list({ prefix: '78/' })).toEqual([])
  })
}

function testGivingUp({ store }: Suite): void {
  for (const failAt of [0, 1_000, partBytes + 1_000, 2 * partBytes + 1_000]) {
    test(`leaves nothing when its source fails after ${failAt} bytes`, async () => {
      const { key, prefix } = keysOfAccount()
      const failure = new Error('the client went away')
      async function* source(): AsyncGenerator<Buffer> {
        for (let sent = 0; sent < failAt; sent += 1_000_000) {
          yield Buffer.alloc(Math.min(1_000_000, failAt - sent))
        }
        throw failure
      }
      await expect(store().put(key('failing'), Readable.from(source()))).rejects.toBe(failure)
      expect(await store().list({ prefix })).toEqual([])
      expect(await store().removeUnfinished(new Date(Date.now() + hourMs))).toBe(0)
    })
  }

  test('leaves nothing when its source is destroyed', async () => {
    const { key, prefix } = keysOfAccount()
    const failure = new Error('connection reset')
    const body = new Readable({ read: () => undefined })
    body.push(Buffer.alloc(100_000))
    const done = store().put(key('destroyed'), body)
    body.destroy(failure)
    await expect(done).rejects.toBe(failure)
    expect(await store().list({ prefix })).toEqual([])
  })

  for (const sent of [1_000, partBytes + 1_000]) {
    test(`gives up on a signal after ${sent} bytes, and leaves nothing`, async () => {
      const { key, prefix } = keysOfAccount()
      const abort = new AbortController()
      const reason = new Error('took too long')
      const body = new Readable({ read: () => undefined })
      body.push(Buffer.alloc(sent))
      const done = store().put(key('aborted'), body, abort.signal)
      setImmediate(() => abort.abort(reason))
      await expect(done).rejects.toBe(reason)
      expect(body.destroyed).toBe(true)
      expect(await store().list({ prefix })).toEqual([])
      expect(await store().removeUnfinished(new Date(Date.now() + hourMs))).toBe(0)
    })
  }

  test('refuses at once when the signal has fired before', async () => {
    const { key, prefix } = keysOfAccount()
    const reason = new Error('too late')
    const done = store().put(key('aborted'), slowSource(10_000, 1_000).body, AbortSignal.abort(reason))
    await expect(done).rejects.toBe(reason)
    expect(await store().list({ prefix })).toEqual([])
  })
}

function testStreaming({ store, put }: Suite): void {
  test('reads no more of an object than its reader takes', async () => {
    const key = keysOfAccount().key('slowread')
    const size = 30 * 1024 * 1024
    expect(await store().put(key, slowSource(size, 64 * 1024).body)).toBe(size)
    const { body } = await store().get(key)
    let taken = 0
    for await (const chunk of body) {
      taken += Buffer.from(chunk).length
      expect(body.readableLength).toBeLessThan(1024 * 1024)
      if (taken > 5 * 1024 * 1024) break
    }
    body.destroy()
  })

  test('serves a reader that opened the object before it was deleted', async () => {
    const key = keysOfAccount().key('openread')
    await put(key, Buffer.alloc(200_000, 7))
    const { body } = await store().get(key)
    await store().delete(key)
    expect((await buffer(body)).length).toBe(200_000)
  })

  test('takes many uploads at once', async () => {
    const { key, prefix } = keysOfAccount()
    const keys = Array.from({ length: 50 }, (_, i) => key(`busy${String(i).padStart(2, '0')}x`))
    await Promise.all(keys.map((one) => put(one, Buffer.from(one))))
    expect(await store().list({ prefix })).toHaveLength(50)
    const bodies = await Promise.all(keys.map(async (one) => buffer((await store().get(one)).body)))
    expect(bodies.map((body) => body.toString())).toEqual(keys)
  })
}

function testRefusing({ store }: Suite): void {
  test('refuses keys and prefixes that no caller should make', async () => {
    for (const key of [
      '',
      'a',
      '1/2/short',
      '../../etcpasswd',
      '1/../aaaaaaaa',
      '1/2/3/aaaaaaaa',
      '1/2/aaaa.aaaa',
    ]) {
      await expect(store().get(key)).rejects.toBeInstanceOf(AssertionError)
      await expect(store().put(key, Readable.from(['x']))).rejects.toBeInstanceOf(AssertionError)
      await expect(store().delete(key)).rejects.toBeInstanceOf(AssertionError)
    }
    await expect(store().list({ prefix: '1' })).rejects.toBeInstanceOf(AssertionError)
    await expect(store().list({ prefix: '../' })).rejects.toBeInstanceOf(AssertionError)
    await expect(store().list({ prefix: '', limit: 1_001 })).rejects.toBeInstanceOf(AssertionError)
  })

  test('is healthy', async () => {
    await expect(store().check()).resolves.toBeUndefined()
  })
}
