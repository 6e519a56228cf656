/**
 * Is the base of every error that a caller may want to tell apart: `code` is stable and appears in
 * `@rookery/http`'s error map, which turns it into an XRPC status and name.
 *
 * @example
 * class RepoNotFoundError extends DomainError {
 *   override readonly name = 'RepoNotFoundError'
 *   readonly code = 'RepoNotFound'
 * }
 */
export abstract class DomainError extends Error {
  /** Stable identifier of the kind of failure; unique among all packages. */
  abstract readonly code: string
}
