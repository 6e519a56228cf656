import { HandleUnavailableError, InvalidRequestError, OAuthError } from '@atproto/oauth-provider/errors'
import { XrpcError, toXrpcError } from '@rookery/http'
import { DomainError } from '@rookery/std'

/** Returns an error of ours as the sign-in pages show it: what is not the caller's fault stays as it is. */
function toOAuthError(error: unknown): unknown {
  if (error instanceof OAuthError) return error
  const answer = error instanceof DomainError ? toXrpcError(error) : error
  if (!(answer instanceof XrpcError) || answer.status >= 500) return error
  if (answer.error === 'HandleNotAvailable') return new HandleUnavailableError('taken', answer.message, error)
  if (answer.error === 'InvalidHandle') return new HandleUnavailableError('syntax', answer.message, error)
  if (answer.error === 'UnsupportedDomain') return new HandleUnavailableError('domain', answer.message, error)
  return new InvalidRequestError(answer.message, error)
}

/** Does the work; what it throws is thrown as `toOAuthError` returns it. */
export async function asOAuth<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toOAuthError(error)
  }
}
