/**
 * Returns the bytes of one unmasked binary WebSocket message (RFC 6455): header and payload in one buffer, so that
 * the same bytes can be written to every subscriber's socket.
 */
export function websocketFrame(payload: Uint8Array): Buffer {
  const { length } = payload
  const headerBytes = length < 126 ? 2 : length < 0x1_0000 ? 4 : 10
  const out = Buffer.allocUnsafe(headerBytes + length)
  out[0] = 0x82
  if (headerBytes === 2) {
    out[1] = length
  } else if (headerBytes === 4) {
    out[1] = 126
    out.writeUInt16BE(length, 2)
  } else {
    out[1] = 127
    out.writeBigUInt64BE(BigInt(length), 2)
  }
  out.set(payload, headerBytes)
  return out
}
