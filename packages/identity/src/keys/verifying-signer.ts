import { metrics } from '@rookery/telemetry'

import { type KeySigner, verifySignature } from '../crypto/signer.ts'
import { FaultySignatureError } from '../errors.ts'
import { verifiedSignatureEvery } from '../limits.ts'

/**
 * Returns a signer that verifies its first signature and one of every 256 later ones before it gives them out: a
 * broken native library, or memory that flips bits, must not reach a stored commit (DESIGN §3.10). `sign` then throws
 * FaultySignatureError.
 */
export function verifyingSigner(signer: KeySigner): KeySigner {
  let made = 0
  return {
    didKey: signer.didKey,
    sign(bytes) {
      const signature = signer.sign(bytes)
      const isChecked = made++ % verifiedSignatureEvery === 0
      if (isChecked && !verifySignature(signer.didKey, bytes, signature)) {
        metrics.add('rookery_signing_failures_total', { reason: 'signature' })
        throw new FaultySignatureError(`a signature just made with ${signer.didKey} does not verify`)
      }
      return signature
    },
  }
}
