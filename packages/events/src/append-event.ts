import type { EventKind, Queryable } from '@rookery/db'

import type { EventFrame } from './frames/event-frames.ts'
import { insertEvent } from './queue-queries.ts'

/** An event to be sequenced once its transaction has committed. */
export type NewEvent = {
  hostId: number
  accountId: number
  kind: EventKind
  frame: EventFrame
}

/**
 * Queues an event in the caller's transaction: it will be sequenced if and only if that commits.
 *
 * The transaction must hold the lock of the account's repo row (an update of it, or `for update`) before it calls
 * this: then, for one account, events are numbered in the order in which their transactions commit, and none is
 * overlooked (`QueueFloor`). Several events of one transaction keep the order of their calls. After the commit, wake
 * the leader (`sequencerWaker`).
 */
export async function appendEvent(tx: Queryable, event: NewEvent): Promise<void> {
  await insertEvent(tx, event)
}
