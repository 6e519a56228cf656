/**
 * Returns the bytes of one unmasked binary WebSocket message (RFC 6455): header and payload in one buffer, so that
 * the same bytes can be written to every subscriber's socket.
 */
export function websocketFrame(payload: Uint8Array): Buffer {
  return websocketFrames([payload])
}

/** Returns the bytes of several messages, one after the other. */
export function websocketFrames(payloads: readonly Uint8Array[]): Buffer {
  let bytes = 0
  for (const { length } of payloads) bytes += messageHeaderBytes(length) + length
  const out = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const payload of payloads) {
    at = writeMessageHeader(out, at, payload.length)
    out.set(payload, at)
    at += payload.length
  }
  return out
}

/** Returns how many bytes go before a payload of this length: at most ten. */
export function messageHeaderBytes(length: number): number {
  if (length < 126) return 2
  return length < 0x1_0000 ? 4 : 10
}

/** Writes what goes before a payload of this length and returns where it ends. */
export function writeMessageHeader(out: Buffer, start: number, length: number): number {
  let at = out.writeUInt8(0x82, start)
  if (length < 126) return out.writeUInt8(length, at)
  if (length < 0x1_0000) {
    at = out.writeUInt8(126, at)
    return out.writeUInt16BE(length, at)
  }
  at = out.writeUInt8(127, at)
  return out.writeBigUInt64BE(BigInt(length), at)
}
