import { type AccountStatus, type Queryable, statement } from '@rookery/db'
import type { EventFrame } from '@rookery/events'
import { must } from '@rookery/std'
import type { Cid, Tid } from '@rookery/syntax'

import type { RecordWrite } from './record-write.ts'

/** A finished commit, to be stored if the head is still `expected`. */
export type NewCommit = {
  readonly accountId: number
  readonly hostId: number
  readonly expected: Cid
  readonly head: Cid
  readonly data: Cid
  readonly rev: Tid
  /** The signed commit block. */
  readonly commit: Uint8Array
  /** The commit's new nodes; empty if it has none. */
  readonly pack: Uint8Array
  readonly frame: EventFrame
  readonly writes: readonly RecordWrite[]
  /** Epoch of the session that writes, which must still be the account's; undefined if it is of no such session. */
  readonly sessionEpoch?: number | undefined
}

/** What became of a commit. */
export type CommitOutcome =
  | 'stored'
  | 'head moved'
  | 'blob missing'
  | 'no repo'
  | 'busy'
  | 'session over'
  | Exclude<AccountStatus, 'active'>

/** In the order of the codes of `commit_batch`. */
const outcomes: readonly CommitOutcome[] = [
  'stored',
  'head moved',
  'deactivated',
  'suspended',
  'takendown',
  'no repo',
  'blob missing',
  'busy',
  'session over',
]
const actions = { create: 0, update: 1, delete: 2 } as const
const noLink = Buffer.alloc(8)
const noEpoch = -1

const commitBatch = statement<{ codes: number[] }>(
  'commit_batch_of_session',
  `select commit_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
     as codes`,
)

/** Stores commits of different repos, each or not at all, in one round trip; returns their outcomes in order. */
export async function storeCommits(db: Queryable, commits: readonly NewCommit[]): Promise<CommitOutcome[]> {
  const { rows } = await commitBatch(db, batchValues(commits))
  return must(rows[0]).codes.map((code) => must(outcomes[code]))
}

/** Returns about how many bytes a commit adds to its statement. */
export function commitBytes(commit: NewCommit): number {
  let bytes = commit.commit.length + commit.pack.length + commit.frame.frame.length
  for (const write of commit.writes) if (write.action !== 'delete') bytes += write.bytes.length
  return bytes
}

/** The parameters of `commit_batch`; its comment describes the payload. */
function batchValues(commits: readonly NewCommit[]): unknown[] {
  const payload = new Payload()
  const c = {
    ...columns<'account' | 'host' | 'at' | 'commit' | 'pack' | 'frame' | 'seq' | 'epoch'>([
      'account',
      'host',
      'at',
      'commit',
      'pack',
      'frame',
      'seq',
      'epoch',
    ]),
    rev: [] as Tid[],
  }
  const r = columns<'commit' | 'action' | 'at' | 'bytes'>(['commit', 'action', 'at', 'bytes'])
  const rText = { collection: [] as string[], rkey: [] as string[], hasLink: [] as boolean[] }
  const b = columns<'commit' | 'at'>(['commit', 'at'])
  const bText = { collection: [] as string[], rkey: [] as string[] }
  for (const [index, commit] of commits.entries()) {
    c.account.push(commit.accountId)
    c.host.push(commit.hostId)
    c.rev.push(commit.rev)
    c.at.push(payload.length)
    payload.add(commit.expected, commit.head, commit.data, commit.commit, commit.pack, commit.frame.frame)
    c.commit.push(commit.commit.length)
    c.pack.push(commit.pack.length)
    c.frame.push(commit.frame.frame.length)
    c.seq.push(commit.frame.seqOffset)
    c.epoch.push(commit.sessionEpoch ?? noEpoch)
    for (const write of commit.writes) {
      r.commit.push(index + 1)
      r.action.push(actions[write.action])
      rText.collection.push(write.collection)
      rText.rkey.push(write.rkey)
      r.at.push(payload.length)
      rText.hasLink.push(write.action !== 'delete' && write.link !== undefined)
      r.bytes.push(write.action === 'delete' ? 0 : write.bytes.length)
      if (write.action === 'delete') continue
      payload.add(write.cid, write.link ?? noLink, write.bytes)
      for (const blob of write.blobs) {
        b.commit.push(index + 1)
        bText.collection.push(write.collection)
        bText.rkey.push(write.rkey)
        b.at.push(payload.length)
        payload.add(blob)
      }
    }
  }
  const ofCommits = [c.account, c.host, c.rev, c.at, c.commit, c.pack, c.frame, c.seq, c.epoch]
  const ofRecords = [r.commit, r.action, rText.collection, rText.rkey, r.at, rText.hasLink, r.bytes]
  const ofBlobs = [b.commit, bText.collection, bText.rkey, b.at]
  return [payload.finish(), ...[...ofCommits, ...ofRecords, ...ofBlobs].map(arrayValue)]
}

/** Numbers and booleans need none of the quoting that `pg` does for each element of an array. */
function arrayValue(values: readonly (number | boolean | string)[]): unknown {
  return typeof values[0] === 'string' ? values : `{${values.join(',')}}`
}

function columns<Name extends string>(names: readonly Name[]): Record<Name, number[]> {
  return Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
}

/** Bytes gathered for one parameter. */
class Payload {
  readonly #parts: Uint8Array[] = []
  length = 0

  add(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#parts.push(part)
      this.length += part.length
    }
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts, this.length)
  }
}
