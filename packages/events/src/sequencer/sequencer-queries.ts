import { copyOut, statement } from '@rookery/db'
import { must } from '@rookery/std'
import type pg from 'pg'

import { batchedEvent } from '../batch-queries.ts'
import { type EventBatch, readSeq } from '../event-batch.ts'
import { leaderStatementMsMax } from '../limits.ts'

/** Key of the advisory lock that the leader holds. */
const leaderLock = 0x726f6f6b

/** A term of leadership, with the high-water marks that it starts from. */
export type Term = { term: number; assigned_seq: number; published_seq: number }

const tryLockStatement = statement<{ locked: boolean }>(
  'leader_try_lock',
  'select pg_try_advisory_lock($1) as locked',
)

const takeTermStatement = statement<Term>(
  'leader_take_term',
  'update event_sequencer set term = term + 1 where id = 1 returning term, assigned_seq, published_seq',
)

const notePublishedStatement = statement(
  'leader_note_published',
  'update event_sequencer set published_seq = $2 where id = 1 and term = $1 and published_seq < $2',
)

// The newest events above a seq, oldest first, as many as fit; the oldest of them says what precedes it.
const unpublishedStatement = statement<EventBatch>(
  'leader_unpublished',
  `select coalesce((select max(l.seq) from event_log l where l.seq < min(n.seq)), 0) as prev_seq,
     max(n.seq) as last_seq, string_agg(${batchedEvent('n')}, '' order by n.seq) as events
   from (
     select t.*, sum(octet_length(t.frame)) over (order by t.seq desc) - octet_length(t.frame) as newer_bytes
     from (select l.seq, l.host_id, l.frame from event_log l where l.seq > $1 order by l.seq desc limit $2) t
   ) n
   where n.newer_bytes < $3
   having count(*) > 0`,
)

const queueStatement = statement<{ oldest_transaction: number; oldest_id: number | null }>(
  'leader_queue',
  `select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest_transaction,
     (select min(q.id) from event_queue q where q.id > $1) as oldest_id`,
)

const lastIdStatement = statement<{ id: number }>(
  'leader_last_id',
  'select last_value - case when is_called then 0 else 1 end as id from event_queue_id',
)

const nextTransactionStatement = statement<{ next: number }>(
  'leader_next_transaction',
  'select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next',
)

/**
 * Makes the server end this connection, and with it the lock, when the client says nothing for a while: a leader
 * that is stopped or cut off cannot keep it. Every statement is to read runs of an index: the queue is mostly rows
 * that were taken and await vacuum, and statistics of a table that is empty at rest do not tell.
 */
export async function prepareSession(client: pg.ClientBase, silenceMsMax: number): Promise<void> {
  await client.query(
    `select set_config('idle_session_timeout', $1, false),
      set_config('idle_in_transaction_session_timeout', $1, false),
      set_config('statement_timeout', $2, false),
      set_config('enable_seqscan', 'off', false),
      set_config('enable_bitmapscan', 'off', false),
      set_config('enable_sort', 'off', false)`,
    [`${silenceMsMax}ms`, `${leaderStatementMsMax}ms`],
  )
}

/** Takes the leader's lock for as long as the connection lives; tells whether it got it. */
export async function tryLeaderLock(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await tryLockStatement(client, [leaderLock])
  return rows[0]?.locked === true
}

/** Begins a term: from the commit on, no earlier leader can number anything. */
export async function takeTerm(client: pg.ClientBase): Promise<Term | undefined> {
  return (await takeTermStatement(client, [])).rows[0]
}

/** Numbers the oldest committed events above a queue id in a transaction of its own; returns undefined if there are none. */
export async function numberEvents(
  client: pg.ClientBase,
  options: {
    term: number
    afterId: number
    rowsMax: number
    bytesMax: number
    nowMicros: number
    publishedSeq: number
  },
): Promise<EventBatch | undefined> {
  const { term, afterId, rowsMax, bytesMax, nowMicros, publishedSeq } = options
  // A copy, whose bytes are bytes; it takes no parameters, but these are numbers.
  const call = `number_events(${term}, ${afterId}, ${rowsMax}, ${bytesMax}, ${nowMicros}, ${publishedSeq})`
  let batch: EventBatch | undefined
  for await (const rows of copyOut(client, `copy (select * from ${call}) to stdout (format binary)`)) {
    for (const [prev, last, events] of rows) {
      if (events?.length) batch = { prev_seq: readSeq(must(prev)), last_seq: readSeq(must(last)), events }
    }
  }
  return batch
}

/** Has the space of rows that were taken used again; nothing if a vacuum is at it already. Takes no transaction. */
export async function vacuumQueue(pool: pg.Pool): Promise<void> {
  await pool.query('vacuum (skip_locked, truncate off) event_queue')
}

/** Notes how far events are published, as every round does that numbers some; nothing if another leads by now. */
export async function notePublished(
  client: pg.ClientBase,
  { term, publishedSeq }: { term: number; publishedSeq: number },
): Promise<void> {
  await notePublishedStatement(client, [term, publishedSeq])
}

/** Returns the newest numbered events above a seq, up to a count and bytes; undefined if there are none. */
export async function listUnpublished(
  client: pg.ClientBase,
  options: { afterSeq: number; rowsMax: number; bytesMax: number },
): Promise<EventBatch | undefined> {
  return (await unpublishedStatement(client, [options.afterSeq, options.rowsMax, options.bytesMax])).rows[0]
}

/** Returns, as of one moment, the oldest transaction that runs and the oldest visible queue id above another. */
export async function readQueue(
  client: pg.ClientBase,
  afterId: number,
): Promise<{ oldestTransaction: number; oldestId: number | null }> {
  const { oldest_transaction, oldest_id } = must((await queueStatement(client, [afterId])).rows[0])
  return { oldestTransaction: oldest_transaction, oldestId: oldest_id }
}

/** Returns the highest queue id that was ever taken. */
export async function readLastQueueId(client: pg.ClientBase): Promise<number> {
  return must((await lastIdStatement(client, [])).rows[0]).id
}

/** Returns a transaction id above all that were taken. */
export async function readNextTransaction(client: pg.ClientBase): Promise<number> {
  return must((await nextTransactionStatement(client, [])).rows[0]).next
}
