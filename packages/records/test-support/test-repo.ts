import { Secp256k1Keypair } from '@atproto/crypto'
import { type Database, inTransaction } from '@rookery/db'
import { type RepoOp, type Sign, collectCar, decodeCommit, verifyInversion } from '@rookery/repo'
import { must } from '@rookery/std'
import {
  type Cid,
  type DataObject,
  type DataValue,
  TidClock,
  cidForCbor,
  cidToString,
  decodeDataObject,
  encodeData,
  linkOf,
  parseCid,
} from '@rookery/syntax'

import { RepoWriter, type RepoWriterOptions, type RecordWrite, createRepo } from '../src/index.ts'

/** A repo of a test database and the key that signs it. */
export type TestRepo = {
  accountId: number
  did: string
  keypair: Secp256k1Keypair
  sign: Sign
}

const hostId = 1
let lastAccountId = 0
let keypair: Secp256k1Keypair | undefined

/** Creates an empty active repo. All test repos share one key: making them is slow. */
export async function createTestRepo(
  db: Database,
  status: 'active' | 'deactivated' = 'active',
): Promise<TestRepo> {
  const key = (keypair ??= await Secp256k1Keypair.create())
  const accountId = ++lastAccountId
  const did = `did:web:account-${accountId}.test`
  const sign: Sign = (bytes) => key.sign(bytes)
  await inTransaction(db.pool, (tx) =>
    createRepo(tx, { accountId, hostId, did, status, sign, clock: testClock() }),
  )
  return { accountId, did, keypair: key, sign }
}

/** Returns a clock with a random id, as every process has one. */
export function testClock(): TidClock {
  return new TidClock(() => Date.now() * 1_000, Math.floor(Math.random() * 1_024))
}

/** Returns a writer as one process has it. */
export function testWriter(db: Database, options: Partial<RepoWriterOptions> = {}): RepoWriter {
  return new RepoWriter({
    pool: db.pool,
    clock: testClock(),
    signerFor: () => Promise.resolve((bytes: Uint8Array) => must(keypair).sign(bytes)),
    onStored: () => {},
    onCompactionDue: () => {},
    onError: (error) => {
      throw error
    },
    ...options,
  })
}

/** Returns a write of a small record. */
export function writeOf(action: 'create' | 'update', path: string, value: DataObject): RecordWrite {
  const [collection = '', rkey = ''] = path.split('/')
  const bytes = encodeData({ $type: collection, ...value })
  return { action, collection, rkey, cid: cidForCbor(bytes), bytes, link: undefined, blobs: [] }
}

/** Returns a delete. */
export function deleteOf(path: string): RecordWrite {
  const [collection = '', rkey = ''] = path.split('/')
  return { action: 'delete', collection, rkey }
}

/** A decoded event of the queue. */
export type QueuedEvent = { accountId: number; type: string; body: DataObject }

/** Returns all events in the order of their ids. */
export async function queuedEvents(db: Database, accountId?: number): Promise<QueuedEvent[]> {
  const { rows } = await db.pool.query<{ account_id: number; seq_offset: number; frame: Buffer }>(
    'select account_id, seq_offset, frame from event_queue where $1::bigint is null or account_id = $1 order by id',
    [accountId ?? null],
  )
  return rows.map(({ account_id, seq_offset, frame }) => {
    // A seq that nine bytes are canonical for.
    frame.writeBigUInt64BE(2n ** 40n, seq_offset)
    const end = frame.indexOf(Buffer.from('626f7001', 'hex')) + 4
    const { t } = decodeDataObject(frame.subarray(0, end))
    return { accountId: account_id, type: textOf(t), body: decodeDataObject(frame.subarray(end)) }
  })
}

/** Returns the bytes of a `{$bytes}` value. */
export function bytesOf(value: DataValue | undefined): Buffer {
  return Buffer.from((value as { $bytes: string }).$bytes, 'base64')
}

/**
 * Requires that the repo's #commit events are one linear history: each inverts to the `data` of the one before,
 * whose rev it names. Returns the last one's data, as text.
 */
export async function checkHistory(db: Database, repo: TestRepo): Promise<string> {
  let previous: { rev: string; data: string } | undefined
  for (const { type, body } of await queuedEvents(db, repo.accountId)) {
    if (type !== '#commit') continue
    const { roots, blocks } = await collectCar([bytesOf(body['blocks'])])
    const commit = decodeCommit(must(blocks.get(roots[0])))
    const ops = (body['ops'] as DataObject[]).map((op): RepoOp => ({
      action: op['action'] as RepoOp['action'],
      path: textOf(op['path']),
      cid: cidOrNull(op['cid']),
      prev: cidOrNull(op['prev']),
    }))
    const before = cidToString(verifyInversion(blocks, ops, commit.data))
    if (previous !== undefined) {
      const { rev, data } = previous
      if (body['since'] !== rev) throw new Error(`since is ${textOf(body['since'])}, not ${rev}`)
      if (before !== data) throw new Error(`the commit inverts to ${before}, not ${data}`)
      if (linkOf(must(body['prevData'])) !== data) throw new Error('prevData is not the data before')
      if (!(textOf(body['rev']) > rev)) throw new Error('the rev does not rise')
    }
    previous = { rev: textOf(body['rev']), data: cidToString(commit.data) }
  }
  return must(previous).data
}

function textOf(value: DataValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`expected text, got ${JSON.stringify(value)}`)
  return value
}

function cidOrNull(value: DataValue | undefined): Cid | null {
  return value === undefined || value === null ? null : parseCid(must(linkOf(value)))
}
