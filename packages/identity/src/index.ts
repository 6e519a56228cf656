export { type SignerBackend, signerBackend } from './crypto/backend.ts'
export { InvalidKeyError } from './crypto/errors.ts'
export {
  type Curve,
  type PublicKey,
  type VerificationMethod,
  formatDidKey,
  formatMultikey,
  parseDidKey,
  parseMultikey,
  parseVerificationMethod,
} from './crypto/keys.ts'
export { type KeySigner, generatePrivateKey, keySigner, verifySignature } from './crypto/signer.ts'
