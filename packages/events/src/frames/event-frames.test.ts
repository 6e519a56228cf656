import { encode } from '@ipld/dag-cbor'
import { Frame } from '@atproto/xrpc-server'
import { cidForCbor } from '@rookery/syntax'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'

import { frameBytesMax } from '../limits.ts'
import {
  type CommitFrameOp,
  encodeAccountFrame,
  encodeCommitFrame,
  encodeErrorFrame,
  encodeIdentityFrame,
  encodeInfoFrame,
  encodeSyncFrame,
  type EventFrame,
  FrameTooLargeError,
  writeSeq,
} from './event-frames.ts'

const seqs = fc.integer({ min: 2 ** 32, max: Number.MAX_SAFE_INTEGER })
const texts = fc.string({ unit: 'binary', maxLength: 300 })
const cids = fc.uint8Array({ maxLength: 8 }).map((bytes) => cidForCbor(bytes))
const blocks = fc.uint8Array({ maxLength: 70_000 })
const ops: fc.Arbitrary<CommitFrameOp> = fc.oneof(
  fc.record({ action: fc.constant('create' as const), path: texts, cid: cids }),
  fc.record({ action: fc.constant('update' as const), path: texts, cid: cids, prev: cids }),
  fc.record({ action: fc.constant('delete' as const), path: texts, cid: fc.constant(null), prev: cids }),
)

/** The reference's encoder on the same message. */
function oracle(header: object, body: object): Buffer {
  return Buffer.concat([encode(header), encode(body)])
}

function numbered({ frame, seqOffset }: EventFrame, seq: number): Buffer {
  return writeSeq(frame, seqOffset, seq)
}

describe('event frames', () => {
  // SPEC EV-1, SYN-1, SYN-2
  test('a #commit is byte-equal to the one of the reference encoder', () => {
    const events = fc.record(
      {
        repo: texts,
        commit: cids,
        rev: texts,
        since: fc.option(texts),
        blocks,
        ops: fc.array(ops, { maxLength: 40 }),
        prevData: cids,
        time: texts,
      },
      { requiredKeys: ['repo', 'commit', 'rev', 'since', 'blocks', 'ops', 'time'] },
    )
    fc.assert(
      fc.property(events, seqs, (event, seq) => {
        const { prevData, commit, ...rest } = event
        const expected = oracle(
          { op: 1, t: '#commit' },
          {
            ...rest,
            seq,
            commit: CID.decode(commit),
            ...(prevData ? { prevData: CID.decode(prevData) } : {}),
            ops: event.ops.map(({ action, path, cid, prev }) => ({
              action,
              path,
              cid: cid && CID.decode(cid),
              ...(prev ? { prev: CID.decode(prev) } : {}),
            })),
            blobs: [],
            rebase: false,
            tooBig: false,
          },
        )
        expect(numbered(encodeCommitFrame(event), seq).equals(expected)).toBe(true)
      }),
    )
  })

  // SPEC EV-1, SYN-5, SYN-6, SYN-7
  test('#sync, #identity and #account are byte-equal to those of the reference encoder', () => {
    const status = fc.option(fc.constantFrom('takendown', 'suspended', 'deleted', 'deactivated'), {
      nil: undefined,
    })
    fc.assert(
      fc.property(texts, texts, texts, blocks, seqs, status, (did, time, rev, blocks, seq, status) => {
        expect(numbered(encodeSyncFrame({ did, time, rev, blocks }), seq)).toEqual(
          oracle({ op: 1, t: '#sync' }, { did, time, rev, blocks, seq }),
        )
        expect(numbered(encodeIdentityFrame({ did, time }), seq)).toEqual(
          oracle({ op: 1, t: '#identity' }, { did, time, seq }),
        )
        expect(numbered(encodeIdentityFrame({ did, time, handle: rev }), seq)).toEqual(
          oracle({ op: 1, t: '#identity' }, { did, time, seq, handle: rev }),
        )
        const account = encodeAccountFrame({ did, time, ...(status ? { status } : {}) })
        expect(numbered(account, seq)).toEqual(
          oracle(
            { op: 1, t: '#account' },
            { did, time, seq, active: !status, ...(status ? { status } : {}) },
          ),
        )
      }),
    )
  })

  // SPEC EV-1, SYN-8
  test('#info and error frames are what the reference parser reads', () => {
    const info = Frame.fromBytes(encodeInfoFrame({ name: 'OutdatedCursor', message: 'events are missing' }))
    expect(info.header).toEqual({ op: 1, t: '#info' })
    expect(info.body).toEqual({ name: 'OutdatedCursor', message: 'events are missing' })
    const error = Frame.fromBytes(encodeErrorFrame({ error: 'FutureCursor', message: 'in the future' }))
    expect(error.isError()).toBe(true)
    expect(error.body).toEqual({ error: 'FutureCursor', message: 'in the future' })
  })

  test('the reference parser reads a numbered frame', () => {
    const frame = numbered(encodeIdentityFrame({ did: 'did:plc:a', time: 't' }), 1_790_000_000_000_001)
    expect(Frame.fromBytes(frame).body).toEqual({ did: 'did:plc:a', time: 't', seq: 1_790_000_000_000_001 })
  })

  // SPEC EV-9, SYN-3
  test('refuses a frame above frameBytesMax and takes one of exactly that', () => {
    const sync = (bytes: number) =>
      encodeSyncFrame({ did: 'did:plc:a', rev: 'r', time: 't', blocks: new Uint8Array(bytes) })
    const overhead = sync(100_000).frame.length - 100_000
    expect(sync(frameBytesMax - overhead).frame).toHaveLength(frameBytesMax)
    expect(() => sync(frameBytesMax - overhead + 1)).toThrow(FrameTooLargeError)
  })
})
