import { setImmediate as yieldToOthers } from 'node:timers/promises'

import { type Connection, CopyRows } from '@rookery/db'
import { type Block, readCar } from '@rookery/repo'
import {
  type Cid,
  type DataObject,
  InvalidCborError,
  blobRefs,
  cidKey,
  decodeDataObject,
  tryParseCid,
} from '@rookery/syntax'

import { InvalidImportError } from '../errors.ts'
import { NodeCache } from '../storage/node-cache.ts'
import { linkOfRecord } from '../write/record-link.ts'
import { stageBlocks } from './import-queries.ts'
import type { ProgressReporter } from './import-progress.ts'
import { importCopyBytes, importNodeBytesMax, importYieldBlocks } from './limits.ts'

/** A CAR whose blocks are in import_block. */
export type StagedCar = {
  readonly root: Cid
  /** Tree nodes that are at hand: all of a repo of ordinary size. */
  readonly nodes: NodeCache
}

const no = Buffer.from([0])
const yes = Buffer.from([1])

/**
 * Reads a CAR into import_block: every block is checked against its CID, and looked through for what its row has to
 * say. Which of them belong to the repo is not known yet. Holds a bounded part of it in memory.
 *
 * @throws {InvalidCarError} {RepoLimitError} as `readCar`.
 * @throws {InvalidImportError} if it has more than one root.
 */
export async function stageCar(
  connection: Connection,
  chunks: AsyncIterable<Uint8Array>,
  options: { bytesMax: number; signal: AbortSignal; progress: ProgressReporter },
): Promise<StagedCar> {
  const car = await readCar(chunks, { carBytesMax: options.bytesMax })
  if (car.roots.length > 1) {
    await car.blocks.return()
    throw new InvalidImportError('expected one root')
  }
  const nodes = new NodeCache(importNodeBytesMax)
  await stageBlocks(connection, blockRows(car.blocks, nodes, options))
  return { root: car.roots[0], nodes }
}

async function* blockRows(
  blocks: AsyncIterable<Block>,
  nodes: NodeCache,
  { signal, progress }: { signal: AbortSignal; progress: ProgressReporter },
): AsyncGenerator<Buffer, void> {
  const rows = new CopyRows(2 * importCopyBytes)
  let count = 0
  for await (const { cid, bytes } of blocks) {
    progress.addBlock(bytes.length)
    if (isNodeLike(bytes)) nodes.add(cid, bytes)
    rows.add([cid, bytes, ...describe(cid, bytes)])
    if (rows.size >= importCopyBytes) yield rows.take()
    if (++count % importYieldBlocks !== 0) continue
    await yieldToOthers()
    await progress.tick()
    signal.throwIfAborted()
  }
  yield rows.take()
}

/** A map of two with the key `e` first: how every tree node begins, and hardly anything else. */
function isNodeLike(bytes: Uint8Array): boolean {
  return bytes[0] === 0xa2 && bytes[1] === 0x61 && bytes[2] === 0x65
}

/** Returns the columns is_record, blobs, type and link of a block. */
function describe(cid: Cid, bytes: Uint8Array): [Buffer, Buffer | null, string | null, Buffer | null] {
  const record = tryDecodeRecord(cid, bytes)
  if (record === undefined) return [no, null, null, null]
  const { $type: type } = record
  const link = typeof type === 'string' ? linkOfRecord(type, record) : undefined
  return [yes, blobsOf(record), link === undefined ? null : (type as string), link ?? null]
}

function tryDecodeRecord(cid: Cid, bytes: Uint8Array): DataObject | undefined {
  // Raw blocks are no records, whatever they hold.
  if (cid[1] !== 0x71) return undefined
  try {
    return decodeDataObject(bytes)
  } catch (error) {
    if (error instanceof InvalidCborError) return undefined
    throw error
  }
}

/** Returns the CIDs of the record's blobs, each once; old forms of a reference count too (SPEC BL-9). */
function blobsOf(record: DataObject): Buffer | null {
  const cids = new Map<string, Cid>()
  for (const ref of blobRefs(record)) {
    const cid = tryParseCid(ref.cid)
    if (cid !== undefined) cids.set(cidKey(cid), cid)
  }
  return cids.size === 0 ? null : Buffer.concat([...cids.values()])
}
