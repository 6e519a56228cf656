import { MST, MemoryBlockstore, readCarWithRoot } from '@atproto/repo'
import { expect } from 'vitest'

import type { Message } from './subscriber.ts'

type Cid = Parameters<MST['add']>[1]
type Op = { action: string; path: string; cid: Cid | null; prev?: Cid }
type CommitBody = {
  repo: string
  rev: string
  since: string | null
  commit: Cid
  blocks: Uint8Array
  ops: Op[]
  prevData?: Cid
  tooBig: boolean
}

/** What the last event of a repo left behind. */
type Position = { rev: string; data: string }

/**
 * Checks a whole replay of the firehose as a strict relay would: seq and each repo's rev only rise, each commit
 * names its predecessor, its slice inverts to the predecessor's tree, and nothing but an activation follows an
 * account that is not active.
 */
export async function checkHistory(messages: readonly Message[]): Promise<void> {
  const positions = new Map<string, Position>()
  const inactive = new Set<string>()
  let seq = 0
  for (const message of messages) {
    expect(message.seq, 'seq rises').toBeGreaterThan(seq)
    seq = message.seq
    if (message.type === '#commit') {
      const body = message.body as unknown as CommitBody
      expect(inactive.has(body.repo), `${body.repo} commits while it is not active`).toBe(false)
      positions.set(body.repo, await checkCommit(body, positions.get(body.repo)))
    }
    if (message.type === '#sync') {
      const body = message.body as unknown as { did: string; rev: string; blocks: Uint8Array }
      const commit = await readCommit(body.blocks)
      expect(commit.rev, 'the sync event and its commit have one rev').toBe(body.rev)
      positions.set(body.did, { rev: body.rev, data: commit.data.toString() })
    }
    if (message.type === '#account') {
      const did = String(message.body['did'])
      if (message.body['active'] === true) inactive.delete(did)
      else inactive.add(did)
    }
  }
}

async function checkCommit(body: CommitBody, before: Position | undefined): Promise<Position> {
  const { root, blocks } = await readCarWithRoot(body.blocks)
  expect(root.toString(), 'the slice is rooted in the commit').toBe(body.commit.toString())
  const commit = await readCommit(body.blocks)
  expect(commit.rev).toBe(body.rev)
  expect(commit.did).toBe(body.repo)
  expect(body.tooBig).toBe(false)
  if (before !== undefined) {
    expect(body.rev > before.rev, `rev of ${body.repo} rises`).toBe(true)
    expect(body.since, 'since is the rev before').toBe(before.rev)
    expect(body.prevData?.toString(), 'prevData is the tree before').toBe(before.data)
  }
  if (body.prevData !== undefined) {
    expect(await invert(new MemoryBlockstore(blocks), commit.data, body.ops)).toBe(body.prevData.toString())
  }
  return { rev: body.rev, data: commit.data.toString() }
}

async function readCommit(car: Uint8Array): Promise<{ did: string; rev: string; data: Cid }> {
  const { root, blocks } = await readCarWithRoot(car)
  const storage = new MemoryBlockstore(blocks)
  return (await storage.readRecord(root)) as never
}

/** Undoes the operations on the tree that the slice holds; a block that is missing throws. */
async function invert(storage: MemoryBlockstore, data: Cid, ops: readonly Op[]): Promise<string> {
  let tree = MST.load(storage, data)
  for (const op of ops.toReversed()) {
    if (op.action === 'create') tree = await tree.delete(op.path)
    else if (op.action === 'delete') tree = await tree.add(op.path, op.prev as Cid)
    else tree = await tree.update(op.path, op.prev as Cid)
  }
  return (await tree.getPointer()).toString()
}
