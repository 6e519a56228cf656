import type { Queryable } from '@rookery/db'

/** How the queue and the log of events stand. */
export type EventFigures = {
  /** Events in the queue, up to `queueEventsMax`, and the id of the oldest. */
  queuedEvents: number
  oldestId: number | undefined
  /** Bytes of the log with its indexes. */
  logBytes: number
  /** First seq above the log's oldest partition; undefined without one. */
  oldestEnd: number | undefined
}

/** Events of the queue that are counted. */
const queueEventsMax = 10_000

/** Returns how the queue above an id, below which it is empty, and the log stand. */
export async function readEventFigures(db: Queryable, afterId: number): Promise<EventFigures> {
  const queue = await db.query<{ events: number; oldest: number | null }>(
    `select count(*) as events, min(id) as oldest
     from (select id from event_queue where id > $1 order by id limit $2) q`,
    [afterId, queueEventsMax],
  )
  const log = await db.query<{ bytes: number; end: number | null }>(
    `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as bytes,
       min(substring(c.relname from '^event_log_\\d+_(\\d+)$')::bigint) as end
     from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'event_log'::regclass`,
  )
  return {
    queuedEvents: queue.rows[0]?.events ?? 0,
    oldestId: queue.rows[0]?.oldest ?? undefined,
    logBytes: log.rows[0]?.bytes ?? 0,
    oldestEnd: log.rows[0]?.end ?? undefined,
  }
}
