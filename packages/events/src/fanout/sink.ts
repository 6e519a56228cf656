/** A subscriber's connection, as the fan-out sees it: bytes go in, in order, whole messages at a time. */
export type Sink = {
  /** Bytes that were written and have not left the process. */
  readonly pendingBytes: number
  /** Takes bytes; never blocks. The sink calls `Fanout.resume` when everything has left. */
  write(bytes: Buffer): void
  /** Closes the connection after what was written, with a WebSocket close code. */
  close(code: number, reason: string): void
}
