import { randomBytes } from 'node:crypto'
import { constants, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { FileBuffers } from './file-buffers.ts'
import { FileSink, type NewFile } from './file-sink.ts'
import { fileBuffersMax, fileWriteBytes, fileWriteChunksMax } from './limits.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rookery-sink-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true })
})

function cut(bytes: Buffer, chunkBytes: number): Buffer[] {
  const count = Math.ceil(bytes.length / chunkBytes)
  return Array.from({ length: count }, (_, n) =>
    Buffer.from(bytes.subarray(n * chunkBytes, (n + 1) * chunkBytes)),
  )
}

describe('FileSink', () => {
  const buffers = new FileBuffers()

  async function write(file: NewFile, chunks: Buffer[]): Promise<number> {
    using sink = new FileSink(file, buffers)
    for (const chunk of chunks) await sink.write(chunk)
    return await sink.end()
  }

  test.for([
    ['nothing', 0, 1],
    ['a byte', 1, 1],
    ['one write', fileWriteBytes, 65_536],
    ['a little more than one', fileWriteBytes + 1, 65_536],
    ['chunks that end nowhere near a block', 1_000_003, 7_919],
    ['a chunk of several writes', 1_000_003, 1_000_003],
    ['more small chunks than it keeps', 5 * fileWriteChunksMax + 3, 1],
  ] as const)('writes %s as it came, past the page cache and through it', async ([, size, chunkBytes]) => {
    const bytes = randomBytes(size)
    for (const isDirect of [false, true]) {
      const path = join(dir, randomBytes(8).toString('hex'))
      const flags = constants.O_WRONLY | constants.O_CREAT | (isDirect ? (constants.O_DIRECT ?? 0) : 0)
      expect(await write({ fd: openSync(path, flags), isDirect }, cut(bytes, chunkBytes))).toBe(size)
      expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
    }
  })

  test('shares few buffers among many files', async () => {
    const bytes = randomBytes(300_000)
    const paths = Array.from({ length: 3 * fileBuffersMax }, (_, n) => join(dir, `many${n}`))
    await Promise.all(
      paths.map(async (path) => {
        await write({ fd: openSync(path, 'wx'), isDirect: false }, cut(bytes, 65_536))
      }),
    )
    for (const path of paths) expect(Buffer.compare(await readFile(path), bytes)).toBe(0)
  })
})
