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
export {
  DidDeactivatedError,
  DidNotFoundError,
  DidUnreachableError,
  FaultySignatureError,
  HandleNotFoundError,
  IncompatibleDidDocError,
  InvalidServiceTokenError,
  PlcRefusedError,
  PlcUnavailableError,
  type ServiceTokenProblem,
  SigningKeyNotFoundError,
  TooManyReservedKeysError,
  UnwrapFailedError,
} from './errors.ts'
export { KeyWrapper } from './keys/key-wrapper.ts'
export { type Rewrapped, type WrappedCount, countWrapped, rewrapSecrets } from './keys/rewrap.ts'
export { findDidKey, findNextDidKey } from './keys/signing-key-queries.ts'
export { type NewSigningKey, SigningKeys, type SigningKeysOptions } from './keys/signing-keys.ts'
export { verifyingSigner } from './keys/verifying-signer.ts'
export {
  identityBytesMax,
  plcTimeoutMs,
  resolutionTimeoutMs,
  serviceTokenDefaultMs,
  serviceTokenMaxMs,
} from './limits.ts'
export {
  type OwnIdentity,
  type RecommendedCredentials,
  type SubmittedOperation,
  assertIdentityIsOurs,
  assertOperationKeepsAccount,
  parseOperationChange,
  recommendedCredentials,
} from './plc/check-identity.ts'
export { PlcClient, type PlcData } from './plc/plc-client.ts'
export {
  type NewDid,
  type OperationChange,
  PlcIdentities,
  type PlcIdentitiesOptions,
  type WantedIdentity,
  assertPlcDid,
  isPlcDid,
} from './plc/plc-identities.ts'
export {
  type AtprotoData,
  type DidDocument,
  atprotoData,
  serviceEndpoint,
  verificationKey,
} from './resolution/did-document.ts'
export { type IdentitySources } from './resolution/fetch-identity.ts'
export { type ResolveTxt, findTxtDid, txtResolver } from './resolution/txt-records.ts'
export { hostDidDocument } from './resolution/host-did-document.ts'
export { IdentityResolver, type IdentityResolverOptions } from './resolution/identity-resolver.ts'
export { type ServiceTokenClaims, issueServiceToken } from './service-auth/service-token.ts'
export { ServiceTokens, type WantedServiceToken } from './service-auth/service-tokens.ts'
export {
  type ExpectedServiceToken,
  type VerifiedServiceToken,
  type VerifyServiceTokenDeps,
  verifyServiceToken,
} from './service-auth/verify-service-token.ts'
