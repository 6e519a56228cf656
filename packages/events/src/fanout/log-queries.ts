import { type Connection, copyOut, type Queryable, statement } from '@rookery/db'
import { must } from '@rookery/std'

import { batchedEvent } from '../batch-queries.ts'
import { type NumberedMessage, readSeq, takeMessages } from '../event-batch.ts'

/** An event of a host; the frame is as it goes to subscribers. */
export type LoggedEvent = { seq: number; frame: Buffer }

/**
 * What sessions that read the log begin with. Its pages are runs of an index; for a partition without statistics,
 * as the newest is for its first minutes, the planner would rather sort everything that follows a position.
 */
export const logReaderSettings = {
  enable_bitmapscan: 'off',
  enable_seqscan: 'off',
  enable_sort: 'off',
} as const

const headStatement = statement<{ assigned_seq: number }>(
  'event_head',
  'select assigned_seq from event_sequencer where id = 1',
)

// As many as fit in both bounds, at least one. The lengths are read without the frames.
const pageStatement = statement<{ events: Buffer | null }>(
  'event_batch_page',
  `select string_agg(${batchedEvent('p')}, '' order by p.seq) as events
   from (
     select t.*, sum(octet_length(t.frame)) over (order by t.seq) - octet_length(t.frame) as bytes_before
     from (select l.seq, l.host_id, l.frame from event_log l where l.seq > $1 order by l.seq limit $2) t
   ) p
   where p.bytes_before < $3`,
)

/** A copy takes no parameters: these are numbers. */
function copyHostPage(hostId: number, { afterSeq, rowsMax, bytesMax }: PageBounds): string {
  return `copy (
    select p.seq, p.frame
    from (
      select t.*, sum(octet_length(t.frame)) over (order by t.seq) - octet_length(t.frame) as bytes_before
      from (
        select l.seq, l.frame from event_log l
        where l.host_id = ${hostId} and l.seq > ${afterSeq} order by l.seq limit ${rowsMax}
      ) t
    ) p
    where p.bytes_before < ${bytesMax}
    order by p.seq
  ) to stdout (format binary)`
}

const droppedStatement = statement<{ seq: number }>(
  'event_dropped',
  'select seq from event_dropped where host_id = $1',
)

const hasBetweenStatement = statement<{ found: boolean }>(
  'event_between',
  'select exists (select from event_log where host_id = $1 and seq > $2 and seq <= $3) as found',
)

const noEvents = Buffer.alloc(0)

/** Where pages of a host are read: a pool, of which each takes a connection for itself. */
export type LogPool = Queryable & { connect(): Promise<Connection> }

/** Bounds of a page of the log. */
export type PageBounds = { afterSeq: number; rowsMax: number; bytesMax: number }

/** Returns the highest seq ever assigned; a later query sees every event up to it. */
export async function readHeadSeq(db: Queryable): Promise<number> {
  return (await headStatement(db, [])).rows[0]?.assigned_seq ?? 0
}

/** Returns a page of the log, of all hosts, in seq order. */
export async function listEvents(db: Queryable, bounds: PageBounds): Promise<NumberedMessage[]> {
  const { rows } = await pageStatement(db, [bounds.afterSeq, bounds.rowsMax, bounds.bytesMax])
  return takeMessages(rows[0]?.events ?? noEvents)
}

/** Returns a page of one host's events, in seq order; copied, since frames as rows of a query go as text. */
export async function listHostEvents(
  pool: LogPool,
  hostId: number,
  bounds: PageBounds,
): Promise<LoggedEvent[]> {
  const connection = await pool.connect()
  const events: LoggedEvent[] = []
  let isDone = false
  try {
    for await (const rows of copyOut(connection, copyHostPage(hostId, bounds))) {
      for (const [seq, frame] of rows) events.push({ seq: readSeq(must(seq)), frame: must(frame) })
    }
    isDone = true
    return events
  } finally {
    connection.release(!isDone)
  }
}

/** Returns the highest seq of a host's events that retention has dropped; 0 if none was. */
export async function readDroppedSeq(db: Queryable, hostId: number): Promise<number> {
  return (await droppedStatement(db, [hostId])).rows[0]?.seq ?? 0
}

/** Tells whether the log has an event of the host above one seq and up to another. */
export async function hasEventsBetween(
  db: Queryable,
  hostId: number,
  range: { afterSeq: number; throughSeq: number },
): Promise<boolean> {
  return (await hasBetweenStatement(db, [hostId, range.afterSeq, range.throughSeq])).rows[0]?.found === true
}
