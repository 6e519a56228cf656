import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'

import { releaseBytes } from '@rookery/std'
import { extract } from 'tar-stream'
import { describe, expect, test } from 'vitest'

import { type SizedEntry, packArchive } from './pack-archive.ts'

const entry = (name: string, ...parts: string[]): SizedEntry => {
  const chunks = parts.map((part) => Buffer.from(part))
  const size = chunks.reduce((sum, { length }) => sum + length, 0)
  return { name, size, body: Readable.from(chunks, { objectMode: false }) }
}

async function* all(...entries: SizedEntry[]): AsyncGenerator<SizedEntry, void> {
  await setImmediate()
  yield* entries
}

async function filesOf(tar: Buffer): Promise<[string, string][]> {
  const files: [string, string][] = []
  const entries = extract()
  Readable.from([tar]).pipe(entries)
  for await (const one of entries)
    files.push([one.header.name, await text(one as AsyncIterable<Buffer> as never)])
  return files
}

describe('packArchive', () => {
  test('holds the files, also when whoever reads it gives the memory of its chunks back', async () => {
    const tars: Buffer[] = []
    for (let n = 0; n < 2; n++) {
      const copies: Buffer[] = []
      for await (const chunk of packArchive(
        all(entry('a.txt', 'one', 'two'), entry('b', 'x'.repeat(70_000))),
      )) {
        copies.push(Buffer.from(chunk as Buffer))
        releaseBytes(chunk as Buffer)
      }
      tars.push(Buffer.concat(copies))
    }
    for (const tar of tars) {
      expect(tar.length % 512).toBe(0)
      expect(tar.subarray(-1024).every((byte) => byte === 0)).toBe(true)
      expect(await filesOf(tar)).toEqual([
        ['a.txt', 'onetwo'],
        ['b', 'x'.repeat(70_000)],
      ])
    }
  })

  test('fails with a file that is not as long as it said, or that breaks', async () => {
    const short = { ...entry('short', 'abc'), size: 4 }
    await expect(buffer(packArchive(all(short)))).rejects.toThrow('Size mismatch')
    const read = (): never => {
      throw new Error('the store went away')
    }
    const broken = { name: 'broken', size: 3, body: new Readable({ read }) }
    await expect(buffer(packArchive(all(broken)))).rejects.toThrow('the store went away')
  })

  test('waits for a slow reader however often, and leaves nothing behind each time', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const parts = Array.from({ length: 200 }, () => 'x'.repeat(64 * 1024))
    let bytes = 0
    for await (const chunk of packArchive(all(entry('large', ...parts)))) {
      bytes += (chunk as Buffer).length
      await setImmediate()
    }
    process.off('warning', onWarning)
    expect(bytes).toBeGreaterThan(200 * 64 * 1024)
    expect(warnings).toEqual([])
  })

  test('lets go of the file under way when nobody reads on', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(64 * 1024))
      },
    })
    const tar = packArchive(
      all({ name: 'endless', size: Number.MAX_SAFE_INTEGER, body: endless }, entry('next', 'x')),
    )
    for await (const chunk of tar) if ((chunk as Buffer).length > 1024) break
    await new Promise((resolve) => (endless.destroyed ? resolve(undefined) : endless.once('close', resolve)))
    expect(endless.destroyed).toBe(true)
  })
})
