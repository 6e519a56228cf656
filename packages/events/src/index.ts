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
export { sequencerWaker } from './sequencer-waker.ts'
