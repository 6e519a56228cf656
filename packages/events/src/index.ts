export { appendEvent, type NewEvent } from './append-event.ts'
export {
  type AccountEvent,
  type AccountEventStatus,
  type CommitEvent,
  type CommitFrameOp,
  encodeAccountFrame,
  encodeCommitFrame,
  encodeErrorFrame,
  encodeIdentityFrame,
  encodeInfoFrame,
  encodeSyncFrame,
  type EventFrame,
  FrameTooLargeError,
  type IdentityEvent,
  type SyncEvent,
  writeSeq,
} from './frames/event-frames.ts'
export { websocketFrame } from './frames/websocket-frame.ts'
export { frameBytesMax } from './limits.ts'
export { findLastEventTime } from './last-event-queries.ts'
export { sequencerWaker } from './sequencer-waker.ts'
export { type SequencerMarks, readSequencerMarks } from './sequencer/marks-queries.ts'
export { type EventFigures, readEventFigures } from './sequencer/figures-queries.ts'
export { LeadershipLostError } from './sequencer/leader-session.ts'
export {
  ClockBehindError,
  Sequencer,
  type SequencerDeps,
  type SequencerOptions,
} from './sequencer/sequencer.ts'
export { EventRing } from './fanout/event-ring.ts'
export { EventTail, type EventTailDeps, type EventTailOptions } from './fanout/event-tail.ts'
export {
  Fanout,
  type FanoutDeps,
  type FanoutOptions,
  FutureCursorError,
  type Subscription,
} from './fanout/fanout.ts'
export { logReaderSettings } from './fanout/log-queries.ts'
export type { Sink } from './fanout/sink.ts'
