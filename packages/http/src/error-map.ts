import type { DomainError } from '@rookery/std'

import { XrpcError } from './xrpc-error.ts'

type Mapping = { status: number; error: string; retryAfterSeconds?: number }

/**
 * How each domain error's code is answered: the only place where domain errors meet HTTP. A code that is missing
 * here is answered as 500; a test proves that every DomainError of the source has its line.
 */
export const errorMap: Readonly<Record<string, Mapping>> = {
  AccountNotFound: { status: 400, error: 'AccountNotFound' },
  AccountTakedown: { status: 401, error: 'AccountTakedown' },
  AppPasswordRefused: { status: 400, error: 'InvalidRequest' },
  ConflictingStatus: { status: 400, error: 'InvalidRequest' },
  DidDeactivated: { status: 400, error: 'DidDeactivated' },
  DidNotAvailable: { status: 400, error: 'InvalidRequest' },
  DidNotFound: { status: 400, error: 'DidNotFound' },
  DidUnreachable: { status: 502, error: 'UpstreamFailure' },
  EmailNotAvailable: { status: 400, error: 'InvalidRequest' },
  EmailTokenRequired: { status: 400, error: 'TokenRequired' },
  ExpiredToken: { status: 400, error: 'ExpiredToken' },
  FaultySignature: { status: 500, error: 'InternalServerError' },
  HandleNotAvailable: { status: 400, error: 'HandleNotAvailable' },
  HandleNotFound: { status: 400, error: 'HandleNotFound' },
  IncompatibleDidDoc: { status: 400, error: 'InvalidRequest' },
  InvalidEmail: { status: 400, error: 'InvalidRequest' },
  InvalidInviteCode: { status: 400, error: 'InvalidInviteCode' },
  InvalidLogin: { status: 401, error: 'AuthenticationRequired' },
  InvalidPassword: { status: 400, error: 'InvalidPassword' },
  InvalidServiceToken: { status: 401, error: 'BadJwt' },
  InvalidToken: { status: 400, error: 'InvalidToken' },
  NoEmailAddress: { status: 400, error: 'InvalidRequest' },
  PasswordQueueFull: { status: 503, error: 'NotEnoughResources', retryAfterSeconds: 1 },
  PlcRefused: { status: 400, error: 'InvalidRequest' },
  PlcUnavailable: { status: 502, error: 'UpstreamFailure' },
  SignUpExpired: { status: 503, error: 'NotEnoughResources', retryAfterSeconds: 5 },
  SigningKeyNotFound: { status: 500, error: 'InternalServerError' },
  TooManyReservedKeys: { status: 503, error: 'NotEnoughResources', retryAfterSeconds: 60 },
  UnknownTemplate: { status: 500, error: 'InternalServerError' },
  UnsupportedDomain: { status: 400, error: 'UnsupportedDomain' },
  UnwrapFailed: { status: 500, error: 'InternalServerError' },
  InvalidCid: { status: 400, error: 'InvalidRequest' },
  InvalidIdentifier: { status: 400, error: 'InvalidRequest' },
  InvalidHandle: { status: 400, error: 'InvalidHandle' },
  InvalidData: { status: 400, error: 'InvalidRequest' },
  InvalidCbor: { status: 400, error: 'InvalidRequest' },
  InvalidRecord: { status: 400, error: 'InvalidRequest' },
  InvalidParams: { status: 400, error: 'InvalidRequest' },
  InvalidInput: { status: 400, error: 'InvalidRequest' },
  InvalidOutput: { status: 500, error: 'InternalServerError' },
  InvalidLexicon: { status: 400, error: 'InvalidRequest' },
  InvalidKey: { status: 400, error: 'InvalidRequest' },
  TenancyNotFound: { status: 404, error: 'NotFound' },
  TenancyConflict: { status: 409, error: 'InvalidRequest' },
  TenantSuspended: { status: 403, error: 'TenantSuspended' },
  InvalidTenancy: { status: 400, error: 'InvalidRequest' },
  InvalidRepoNode: { status: 400, error: 'InvalidRequest' },
  InvalidRepoCommit: { status: 400, error: 'InvalidRequest' },
  InvalidCar: { status: 400, error: 'InvalidRequest' },
  InvalidRecordPath: { status: 400, error: 'InvalidRequest' },
  RepoLimitExceeded: { status: 400, error: 'InvalidRequest' },
  RepoBlockMissing: { status: 400, error: 'InvalidRequest' },
  RepoInversionFailed: { status: 400, error: 'InvalidRequest' },
  RecordExists: { status: 400, error: 'InvalidRequest' },
  RecordMissing: { status: 400, error: 'InvalidRequest' },
  DuplicateRecordPath: { status: 400, error: 'InvalidRequest' },
  InvalidBlobSettings: { status: 500, error: 'InternalServerError' },
  BlobStoreUnavailable: { status: 503, error: 'NotEnoughResources', retryAfterSeconds: 5 },
  BlobObjectNotFound: { status: 400, error: 'BlobNotFound' },
  BlobRangeNotSatisfiable: { status: 416, error: 'InvalidRequest' },
  InvalidSwap: { status: 400, error: 'InvalidSwap' },
  CommitTooLarge: { status: 400, error: 'InvalidRequest' },
  WritesOverloaded: { status: 503, error: 'NotEnoughResources', retryAfterSeconds: 1 },
  ExportsOverloaded: { status: 503, error: 'NotEnoughResources', retryAfterSeconds: 5 },
  BlocksTooLarge: { status: 400, error: 'InvalidRequest' },
  ExportTimeout: { status: 504, error: 'UpstreamTimeout' },
  RepoNotFound: { status: 400, error: 'RepoNotFound' },
  RepoTakendown: { status: 400, error: 'RepoTakendown' },
  RepoSuspended: { status: 400, error: 'RepoSuspended' },
  RepoDeactivated: { status: 400, error: 'RepoDeactivated' },
  RecordNotFound: { status: 400, error: 'RecordNotFound' },
  BlockNotFound: { status: 400, error: 'BlockNotFound' },
  InvalidImport: { status: 400, error: 'InvalidRequest' },
  ImportTooLarge: { status: 413, error: 'PayloadTooLarge' },
  ImportAborted: { status: 400, error: 'InvalidRequest' },
  InvalidCursor: { status: 400, error: 'InvalidRequest' },
  InvalidPack: { status: 500, error: 'InternalServerError' },
  FrameTooLarge: { status: 400, error: 'InvalidRequest' },
  InvalidJob: { status: 500, error: 'InternalServerError' },
  JobNotFound: { status: 404, error: 'NotFound' },
  JobDead: { status: 500, error: 'InternalServerError' },
  JobLost: { status: 500, error: 'InternalServerError' },
  JobRefused: { status: 400, error: 'InvalidRequest' },
  JobTimeout: { status: 504, error: 'UpstreamTimeout' },
  BlobNotFound: { status: 400, error: 'BlobNotFound' },
  BlobInvalidMimeType: { status: 400, error: 'InvalidMimeType' },
  BlobInvalidSize: { status: 400, error: 'InvalidSize' },
  BlobTooLarge: { status: 413, error: 'PayloadTooLarge' },
  BlobLengthMismatch: { status: 400, error: 'InvalidRequest' },
  BlobUploadAborted: { status: 400, error: 'InvalidRequest' },
  BlobUploadTimeout: { status: 504, error: 'UpstreamTimeout' },
  BlobTakenDown: { status: 400, error: 'InvalidRequest' },
}

/** Returns the answer to a domain error. */
export function toXrpcError(error: DomainError): XrpcError {
  const mapping = errorMap[error.code] ?? { status: 500, error: 'InternalServerError' }
  const headers =
    mapping.retryAfterSeconds === undefined ? {} : { 'retry-after': String(mapping.retryAfterSeconds) }
  // What went wrong inside is for the log, not for the caller.
  const message = mapping.status === 500 ? 'Internal Server Error' : error.message
  return new XrpcError(mapping.status, mapping.error, message, { cause: error, headers })
}
