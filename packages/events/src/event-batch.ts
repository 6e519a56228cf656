/** An event under its seq. */
export type NumberedEvent = {
  seq: number
  hostId: number
  /** Header and body, with the seq in its place. */
  frame: Buffer
}

/** Events that follow one another in the log, as the database hands them out and the Redis stream carries them. */
export type EventBatch = {
  /** The seq before the first one. */
  prev_seq: number
  /** The seq of the last one. */
  last_seq: number
  /** What `readEvents` reads. */
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
 * Returns the events of a batch, whose frames are views of its bytes. Each event is its seq (8 bytes), host (4), the
 * length of its frame (4) and the frame; numbers are big-endian.
 */
export function readEvents(bytes: Buffer): NumberedEvent[] {
  const events: NumberedEvent[] = []
  for (let at = 0; at < bytes.length;) {
    const start = at + headerBytes
    const end = start + bytes.readUInt32BE(at + 12)
    events.push({
      seq: readSeq(bytes, at),
      hostId: bytes.readUInt32BE(at + 8),
      frame: bytes.subarray(start, end),
    })
    at = end
  }
  return events
}
