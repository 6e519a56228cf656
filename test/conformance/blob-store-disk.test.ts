import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { BlobStoreUnavailableError, DiskBlobStore, blobKey } from '@rookery/blobs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const key = blobKey({ hostId: 1, accountId: 2, name: 'abcdefgh' })
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rookery-blobs-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true })
})

describe('DiskBlobStore', () => {
  test('shards by name, and removes directories that become empty', async () => {
    await using store = new DiskBlobStore({ dir })
    await store.put(key, Readable.from([Buffer.from('abc')]))
    const objects = join(dir, 'objects')
    expect(await readdir(objects, { recursive: true })).toEqual(
      expect.arrayContaining([join('1', '2', 'ab', 'abcdefgh')]),
    )
    await store.delete(key)
    expect(await readdir(objects)).toEqual([])
    expect(await readdir(join(dir, 'incoming'))).toEqual([])
  })

  test('keeps objects when it is opened again', async () => {
    {
      await using first = new DiskBlobStore({ dir })
      await first.put(key, Readable.from([Buffer.from('abc')]))
    }
    await using second = new DiskBlobStore({ dir })
    expect(await second.head(key)).toMatchObject({ size: 3 })
    await second.delete(key)
  })

  test('clears up uploads that a dead process left, but only old ones', async () => {
    await using store = new DiskBlobStore({ dir })
    const incoming = join(dir, 'incoming')
    await mkdir(incoming, { recursive: true })
    await writeFile(join(incoming, 'old'), 'half')
    await writeFile(join(incoming, 'new'), 'half')
    await utimes(join(incoming, 'old'), 1_000, 1_000)
    expect(await store.list({ prefix: '' })).toEqual([])
    expect(await store.removeUnfinished(new Date(2_000_000))).toBe(1)
    expect(await readdir(incoming)).toEqual(['new'])
    await rm(join(incoming, 'new'))
  })

  test('takes a place where it cannot write for an outage', async () => {
    const file = join(dir, 'file')
    await writeFile(file, '')
    await using store = new DiskBlobStore({ dir: file })
    await expect(store.check()).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    const source = Readable.from([Buffer.from('abc')])
    await expect(store.put(key, source)).rejects.toBeInstanceOf(BlobStoreUnavailableError)
    expect(source.destroyed).toBe(true)
  })
})
