import type { Account } from '@rookery/accounts'
import { XrpcError } from '@rookery/http'
import type { RepoRef, StoredCommit } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import type { AccessAuth } from '../../auth/access.ts'

/**
 * Returns the caller's repo, which is the only one that it may write.
 *
 * @throws {XrpcError} 401 if `repo` names another one.
 */
export function ownRepo({ account }: AccessAuth, repo: string): RepoRef {
  if (!isNamed(account, repo)) {
    throw new XrpcError(
      401,
      'AuthenticationRequired',
      'The repo is not the one of the account that signed in',
    )
  }
  return { accountId: account.id, did: account.did }
}

/** Returns a commit as methods answer it; nothing if none was made. */
export function commitOutput(commit: StoredCommit | undefined): { commit?: { cid: string; rev: string } } {
  return commit === undefined ? {} : { commit: { cid: cidToString(commit.cid), rev: commit.rev } }
}

function isNamed(account: Account, repo: string): boolean {
  return repo === account.did || (account.handle !== null && repo.toLowerCase() === account.handle)
}
