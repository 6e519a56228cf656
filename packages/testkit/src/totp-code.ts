import { createHmac } from 'node:crypto'

/** Returns the code of an authenticator app (RFC 6238: SHA-1, 30 s, 6 digits), written from the RFC alone. */
export function totpCode(secret: Uint8Array, timeMs: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(timeMs / 30_000)))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = mac.readUInt8(19) & 0x0f
  const number = mac.readUInt32BE(offset) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}
