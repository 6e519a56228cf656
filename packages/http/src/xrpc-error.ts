/** Names and statuses of the errors that are no method's own (SPEC XR-3). */
export const commonErrors = {
  InvalidRequest: 400,
  AuthenticationRequired: 401,
  AuthMissing: 401,
  InvalidToken: 400,
  ExpiredToken: 400,
  Forbidden: 403,
  XRPCNotSupported: 404,
  MethodNotAllowed: 405,
  PayloadTooLarge: 413,
  UnsupportedMediaType: 415,
  UpgradeRequired: 426,
  RateLimitExceeded: 429,
  InternalServerError: 500,
  MethodNotImplemented: 501,
  UpstreamFailure: 502,
  NotEnoughResources: 503,
  UpstreamTimeout: 504,
} as const

/** An answer that is an error: `{error, message}` under an HTTP status. */
export class XrpcError extends Error {
  override readonly name = 'XrpcError'
  readonly status: number
  /** Name in the answer's `error` field. */
  readonly error: string
  /** Headers to add, such as Retry-After or WWW-Authenticate. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether another service has said so, and named it. */
  readonly isUpstream: boolean

  constructor(
    status: number,
    error: string,
    message: string,
    options: ErrorOptions & { headers?: Record<string, string>; isUpstream?: boolean } = {},
  ) {
    super(message, options)
    this.status = status
    this.error = error
    this.headers = options.headers ?? {}
    this.isUpstream = options.isUpstream ?? false
  }
}

/** Returns the error for a request that can't be taken as it is: 400 under the name, `InvalidRequest` unless given. */
export function invalidRequest(message: string, error = 'InvalidRequest'): XrpcError {
  return new XrpcError(400, error, message)
}
