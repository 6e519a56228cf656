import { Readable } from 'node:stream'

import { type Pack, pack } from 'tar-stream'

import type { ArchiveEntry } from '../format/archive-entries.ts'

/** A file whose size is known before it is read: a tar says it in front. */
export type SizedEntry = ArchiveEntry & { size: number }

/** Chunks up to this length may be the library's own, in bytes: padding and the end are the same memory each time. */
const ownChunkBytes = 1024

/**
 * Returns files as one tar, read at the pace of who reads it. The chunks are the reader's. An error of a file, or one
 * that is not as long as it said, is an error of the stream.
 */
export function packArchive(entries: AsyncIterable<SizedEntry>): Readable {
  return Readable.from(chunksOf(entries), { objectMode: false })
}

async function* chunksOf(entries: AsyncIterable<SizedEntry>): AsyncGenerator<Buffer, void> {
  const tar = pack()
  const fed = feed(tar, entries).catch((error: unknown) => tar.destroy(error as Error))
  try {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      yield chunk.length <= ownChunkBytes ? Buffer.from(chunk) : chunk
    }
  } finally {
    tar.destroy()
    await fed
  }
}

async function feed(tar: Pack, entries: AsyncIterable<SizedEntry>): Promise<void> {
  for await (const entry of entries) {
    try {
      await addEntry(tar, entry)
    } finally {
      entry.body.destroy()
    }
  }
  tar.finalize()
}

async function addEntry(tar: Pack, { name, size, body }: SizedEntry): Promise<void> {
  const written = Promise.withResolvers<void>()
  const sink = tar.entry({ name, size }, (error) =>
    error === undefined || error === null ? written.resolve() : written.reject(error),
  )
  let wake = (): void => undefined
  sink.on('drain', () => wake())
  // Whoever stops reading the tar closes the sink in the middle: nobody is to wait for it, or for the file, then.
  sink.once('close', () => {
    body.destroy()
    wake()
  })
  // Its error is told to the callback, which may come before anybody waits.
  sink.on('error', ignore)
  written.promise.catch(ignore)
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (sink.write(chunk) || sink.destroyed) continue
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  sink.end(undefined)
  await written.promise
}

function ignore(): void {}
