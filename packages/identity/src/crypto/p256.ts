import { type KeyObject, createPublicKey, verify } from 'node:crypto'

/** DER of a SubjectPublicKeyInfo for P-256 up to its point, for a compressed and an uncompressed one. */
const compressedHead = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')
const uncompressedHead = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')

/** Half of the curve's order: the greatest S of a signature that nobody else could have altered. */
const halfOrder = Buffer.from('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8', 'hex')

/** Returns the compressed form of a P-256 public key in any form; throws if it is no point of the curve. */
export function compressP256(publicKey: Uint8Array): Uint8Array {
  const { x, y } = keyObject(publicKey).export({ format: 'jwk' })
  const [xBytes, yBytes] = [Buffer.from(x ?? '', 'base64url'), Buffer.from(y ?? '', 'base64url')]
  const isOdd = ((yBytes.at(-1) ?? 0) & 1) === 1
  return Buffer.concat([Buffer.from([isOdd ? 0x03 : 0x02]), xBytes])
}

/** Tells whether the compact signature, 64 bytes, is the key's over the bytes' SHA-256; high S is refused. */
export function verifyP256(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (Buffer.compare(signature.subarray(32), halfOrder) > 0) return false
  return verify('sha256', bytes, { key: keyObject(publicKey), dsaEncoding: 'ieee-p1363' }, signature)
}

function keyObject(publicKey: Uint8Array): KeyObject {
  const head = publicKey.length === 33 ? compressedHead : uncompressedHead
  return createPublicKey({ key: Buffer.concat([head, publicKey]), format: 'der', type: 'spki' })
}
