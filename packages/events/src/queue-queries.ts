import { type Queryable, statement, type Tx } from '@rookery/db'

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

/** Inserts an unsequenced event within a transaction of Kysely. */
export async function insertEventWithKysely(tx: Tx, event: NewEvent): Promise<void> {
  await tx
    .insertInto('event_queue')
    .values({
      host_id: event.hostId,
      account_id: event.accountId,
      kind: event.kind,
      seq_offset: event.frame.seqOffset,
      frame: event.frame.frame,
    })
    .execute()
}
