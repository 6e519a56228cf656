import type { Queryable } from '@rookery/db'

/** How the numbering of events stands; times in microseconds since the Unix epoch. */
export type SequencerMarks = {
  assignedSeq: number
  publishedSeq: number
  /** The database's clock. */
  nowMicros: number
  /** Id of the oldest event that has no number, or null. */
  oldestQueuedId: number | null
  /** Whether the log has a partition for events of now. */
  hasPartition: boolean
}

/** Returns how the numbering of events stands. */
export async function readSequencerMarks(db: Queryable): Promise<SequencerMarks> {
  const { rows } = await db.query<SequencerMarks>(
    `select s.assigned_seq as "assignedSeq", s.published_seq as "publishedSeq", n.micros as "nowMicros",
       (select min(id) from event_queue) as "oldestQueuedId",
       exists (
         select from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = 'event_log'::regclass
            and greatest(n.micros, s.assigned_seq) >= substring(c.relname from '^event_log_(\\d+)_')::bigint
            and greatest(n.micros, s.assigned_seq) < substring(c.relname from '_(\\d+)$')::bigint
       ) as "hasPartition"
     from event_sequencer s, (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros) n`,
  )
  const [marks] = rows
  if (marks === undefined) throw new Error('the database has no row of the sequencer')
  return marks
}
