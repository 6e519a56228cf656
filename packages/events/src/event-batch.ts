import { messageHeaderBytes, writeMessageHeader } from './frames/websocket-frame.ts'

/** An event under its seq. */
export type NumberedMessage = {
  seq: number
  hostId: number
  /** Its frame as a whole WebSocket message, as it goes to every subscriber's socket. */
  message: Buffer
}

/** Events that follow one another in the log, as the database hands them out and the Redis stream carries them. */
export type EventBatch = {
  /** The seq before the first one. */
  prev_seq: number
  /** The seq of the last one. */
  last_seq: number
  /** What `takeMessages` reads. */
  events: Buffer
}

const headerBytes = 16

/** Returns the seq of eight big-endian bytes, which is below 2^53. */
export function readSeq(bytes: Buffer, at = 0): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}

/** Returns how many events a batch has. */
export function countEvents(bytes: Buffer): number {
  let count = 0
  for (let at = 0; at < bytes.length; count++) at += headerBytes + bytes.readUInt32BE(at + 12)
  return count
}

/**
 * Returns the events of a batch, whose messages are views of its bytes: what stood before a frame makes room for the
 * header of its message, so the bytes can't be read again. Each event is its seq (8 bytes), host (4), the length of its
 * frame (4) and the frame; numbers are big-endian.
 */
export function takeMessages(bytes: Buffer): NumberedMessage[] {
  const events: NumberedMessage[] = []
  for (let at = 0; at < bytes.length;) {
    const seq = readSeq(bytes, at)
    const hostId = bytes.readUInt32BE(at + 8)
    const length = bytes.readUInt32BE(at + 12)
    const start = at + headerBytes - messageHeaderBytes(length)
    at += headerBytes + length
    writeMessageHeader(bytes, start, length)
    events.push({ seq, hostId, message: bytes.subarray(start, at) })
  }
  return events
}
