import { type AccountStatus, type Queryable, statement } from '@rookery/db'
import type { EventFrame } from '@rookery/events'
import type { Block } from '@rookery/repo'
import type { Cid, Tid } from '@rookery/syntax'

const insert = statement(
  'repo_insert_with_event',
  `with first_pack as (
     insert into pack (account_id, rev, chunk, kind, bytes) values ($1, $5, 0, 'delta', $9)),
   event as (
     insert into event_queue (host_id, account_id, kind, seq_offset, frame)
     select $2, $1, 'commit', $10, $11 where $11::bytea is not null)
   insert into repo (account_id, host_id, did, status, rev, head, data, commit, delta_bytes, delta_count)
   values ($1, $2, $3, $4, $5, $6, $7, $8, length($9), 1)`,
)

/** Inserts a repo's first head, its pack and, with a frame, its #commit event. */
export async function insertRepo(
  tx: Queryable,
  repo: {
    accountId: number
    hostId: number
    did: string
    status: AccountStatus
    rev: Tid
    data: Cid
    commit: Block
    pack: Buffer
    frame: EventFrame | undefined
  },
): Promise<void> {
  const { accountId, hostId, did, status, rev, data, commit, pack, frame } = repo
  const event = [frame?.seqOffset, frame?.frame]
  await insert(tx, [accountId, hostId, did, status, rev, commit.cid, data, commit.bytes, pack, ...event])
}

/** Puts a commit at the repo's head, signed with the key of that version; the caller holds the head's lock. */
export async function updateHead(
  tx: Queryable,
  next: { accountId: number; rev: Tid; data: Cid; commit: Block; keyVersion: number },
): Promise<void> {
  await tx.query(
    `update repo set rev = $2, head = $3, data = $4, commit = $5, key_version = $6, updated_at = now()
      where account_id = $1`,
    [next.accountId, next.rev, next.commit.cid, next.data, next.commit.bytes, next.keyVersion],
  )
}
