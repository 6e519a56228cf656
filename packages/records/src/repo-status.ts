import type { AccountStatus } from '@rookery/db'
import type { DomainError } from '@rookery/std'

import { RepoDeactivatedError, RepoNotFoundError, RepoSuspendedError, RepoTakendownError } from './errors.ts'

/**
 * Requires that a repo is there and active.
 *
 * @throws {RepoNotFoundError} if the status is undefined: there is no repo.
 * @throws {RepoTakendownError} if it is taken down.
 * @throws {RepoSuspendedError} if it is suspended.
 * @throws {RepoDeactivatedError} if it is deactivated.
 */
export function requireActive(did: string, status: AccountStatus | undefined): asserts status is 'active' {
  if (status !== 'active') throw notActive(did, status)
}

/** Returns the error that tells why a repo can't be read or written; undefined stands for no repo at all. */
export function notActive(did: string, status: Exclude<AccountStatus, 'active'> | undefined): DomainError {
  if (status === undefined) return new RepoNotFoundError(`Could not find repo for DID: ${did}`)
  if (status === 'takendown') return new RepoTakendownError(`Repo has been takendown: ${did}`)
  if (status === 'suspended') return new RepoSuspendedError(`Repo is suspended: ${did}`)
  return new RepoDeactivatedError(`Repo has been deactivated: ${did}`)
}
