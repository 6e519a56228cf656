import { type Queryable, statement } from '@rookery/db'

const lastSeq = statement<{ seq: number }>(
  'event_last_of_host',
  'select seq from event_log where host_id = $1 order by seq desc limit 1',
)

/** Returns when the host's latest event was numbered, or undefined if the log holds none of it. */
export async function findLastEventTime(db: Queryable, hostId: number): Promise<Date | undefined> {
  const { rows } = await lastSeq(db, [hostId])
  // A seq is at least the microseconds since the epoch at which it was given.
  return rows[0] && new Date(rows[0].seq / 1_000)
}
