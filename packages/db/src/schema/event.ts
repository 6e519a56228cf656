import type { Generated } from 'kysely'

/** Kinds of event, as on the firehose. */
export type EventKind = 'commit' | 'sync' | 'identity' | 'account'

/** A committed event without a seq: `seq_offset` says where its eight bytes go. */
export type EventQueueTable = {
  id: Generated<number>
  host_id: number
  account_id: number
  kind: EventKind
  seq_offset: number
  frame: Buffer
}

/** An event under its seq; the frame is as it goes to subscribers. */
export type EventLogTable = {
  host_id: number
  seq: number
  account_id: number
  kind: EventKind
  frame: Buffer
}

/** The leader's term and high-water marks; one row. */
export type EventSequencerTable = {
  id: number
  term: Generated<number>
  assigned_seq: Generated<number>
  published_seq: Generated<number>
}

/** The highest seq of a host that retention has dropped. */
export type EventDroppedTable = {
  host_id: number
  seq: number
}
