import { type BlockMap, MST, MemoryBlockstore, readCarWithRoot, verifyCommitSig } from '@atproto/repo'
import { decode, encode } from '@ipld/dag-cbor'
import type { CID } from 'multiformats'

import type { CommitEvent, Op, SyncEvent } from './frame.ts'
import { as, must } from './rules.ts'

type RepoCid = Parameters<MST['add']>[1]

/** The signed commit of an event, in its own bytes. */
export type Commit = {
  did: string
  version: number
  data: CID
  rev: string
  prev: null
  sig: Uint8Array
}

/** An event's CAR, taken apart. */
export type Slice = { root: RepoCid; blocks: BlockMap; commit: Commit }

const recordBytesMax = 1_000_000
const commitKeys = 'data did prev rev sig version'

/** Reads an event's CAR and its commit, and compares both with what the event says. */
export async function readSlice(event: CommitEvent | SyncEvent): Promise<Slice> {
  const { root, blocks } = await as('car', () => readCarWithRoot(event.blocks))
  const bytes = blocks.get(root)
  must(bytes !== undefined, 'car', 'the root is not among the blocks')
  if (event.type === '#commit') {
    must(
      root.toString() === event.commit.toString(),
      'car',
      'the root is not the commit that the event names',
    )
  }
  const commit = await as('commit-object', () => decode<Commit>(bytes))
  const isCommit =
    Object.keys(commit).sort().join(' ') === commitKeys && commit.version === 3 && commit.prev === null
  must(isCommit && commit.sig.length === 64, 'commit-object', 'the root is no version 3 commit')
  must(Buffer.from(encode(commit)).equals(bytes), 'commit-object', 'the commit is not canonical')
  must(commit.did === event.did, 'commit-object', `the commit is of ${commit.did}`)
  must(
    commit.rev === event.rev,
    'commit-object',
    `the commit has the rev ${commit.rev}, the event ${event.rev}`,
  )
  return { root, blocks, commit }
}

/** Whether the commit has a valid low-S signature of the key. */
export function isSignedWith(commit: Commit, didKey: string): Promise<boolean> {
  return verifyCommitSig(commit as never, didKey).catch(() => false)
}

/** Checks that the slice has what was written, nothing that was removed, and leads back to the tree before. */
export async function checkOps(event: CommitEvent, slice: Slice): Promise<void> {
  const written = new Set(event.ops.map(({ cid }) => cid?.toString()))
  for (const { cid, prev, path } of event.ops) {
    if (cid !== null) {
      const bytes = slice.blocks.get(cid)
      must(bytes !== undefined, 'record', `the record ${path} is missing`)
      must(bytes.length <= recordBytesMax, 'record', `the record ${path} has ${bytes.length} bytes`)
    }
    if (prev === undefined || written.has(prev.toString())) continue
    must(!slice.blocks.has(prev), 'record', `the value before of ${path} is in the slice`)
  }
  if (event.prevData === undefined) return
  const before = await as('inversion', () => invert(slice, event.ops))
  must(before === event.prevData.toString(), 'inversion', `the operations lead back to ${before}`)
}

/** Undoes the operations on the tree that the slice holds; a block that is missing throws. */
async function invert({ blocks, commit }: Slice, ops: readonly Op[]): Promise<string> {
  let tree = MST.load(new MemoryBlockstore(blocks), commit.data)
  for (const op of ops.toReversed()) {
    const prev = op.prev!
    must(
      (await tree.get(op.path))?.toString() === op.cid?.toString(),
      'inversion',
      `${op.path} is not in the tree`,
    )
    if (op.action === 'create') tree = await tree.delete(op.path)
    else if (op.action === 'delete') tree = await tree.add(op.path, prev)
    else tree = await tree.update(op.path, prev)
  }
  return (await tree.getPointer()).toString()
}
