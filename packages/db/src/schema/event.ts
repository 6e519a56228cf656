import type { Generated } from 'kysely'

/** Kinds of event, as on the firehose. */
export type EventKind = 'commit' | 'sync' | 'identity' | 'account'

/** A committed event without a seq. */
export type EventQueueTable = {
  id: Generated<number>
  host_id: number
  account_id: number
  kind: EventKind
  seq_offset: number
  frame: Buffer
}

/** An event under its seq. */
export type EventLogTable = {
  host_id: number
  seq: number
  account_id: number
  kind: EventKind
  seq_offset: number
  frame: Buffer
}

/** The leader's high-water marks; one row. */
export type EventSequencerTable = {
  id: number
  assigned_seq: Generated<number>
  published_seq: Generated<number>
}
