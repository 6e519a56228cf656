import { type Queryable, statement } from '@rookery/db'

import type { NewEvent } from './append-event.ts'

const insert = statement(
  'event_queue_insert',
  'insert into event_queue (host_id, account_id, kind, seq_offset, frame) values ($1, $2, $3, $4, $5)',
)

/** Inserts an unsequenced event by the named statement. */
export async function insertEvent(client: Queryable, event: NewEvent): Promise<void> {
  const { frame, seqOffset } = event.frame
  await insert(client, [event.hostId, event.accountId, event.kind, seqOffset, frame])
}
