import type { ScopePermissions } from '@atproto/oauth-scopes'
import type { Account } from '@rookery/accounts'
import { type XrpcCall, XrpcError } from '@rookery/http'
import type { StoredCommit, WrittenRepo } from '@rookery/records'
import { cidToString } from '@rookery/syntax'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { getCaller, verifyToken } from '../../auth/access.ts'
import { requireCredentials } from '../../auth/authorization-header.ts'
import { assertAllowed, assertAppMay, verifyOAuth } from '../../auth/oauth.ts'
import type { OwnRepoDeps } from './repo-deps.ts'

/** A session that may write calls. Whether its account may is found out with the write: `writeOwnRepo`. */
export type WriterAuth = {
  did: string
  /** Epoch of a session with a password. */
  epoch?: number
  /** What the account allowed an app that calls for it by OAuth; undefined for sessions with a password. */
  permissions?: ScopePermissions
}

const options = { allowDeactivated: false }

/** Returns the check of methods that write the caller's repo by `writeOwnRepo`. */
export function writerAuth(
  deps: Pick<OwnRepoDeps, 'tokens' | 'oauth'>,
): (request: FastifyRequest, reply: FastifyReply) => WriterAuth | Promise<WriterAuth> {
  return (request, reply) => {
    const { scheme, value } = requireCredentials(request, ['bearer', 'dpop'])
    if (scheme !== 'dpop') return verifyToken(deps, options, request, value)
    return verifyOAuth(deps, request, reply).then((claims) => {
      assertAppMay(claims.permissions, request)
      return claims
    })
  }
}

/**
 * Checks that whoever calls may write so to the collection.
 *
 * @throws {XrpcError} 403 ScopeMissingError if the account did not allow the app.
 */
export function assertMayWrite(
  { permissions }: WriterAuth,
  action: 'create' | 'update' | 'delete',
  collection: string,
): void {
  if (permissions === undefined) return
  assertAllowed(() => permissions.assertRepo({ action, collection }))
}

/**
 * Writes the caller's repo, which is the only one that it may write, and returns what was written.
 *
 * A commit is stored only if the account is there and active, and the session was not ended: the statement that stores
 * it compares. So for an
 * account that is known here the write begins at once, and if it made a commit, the account was allowed to. Whatever
 * else comes of it counts only once the account was looked at (invariant 6): one that may not call is told so, as with
 * every other method, and one that is here anew under another id writes again.
 *
 * @throws {XrpcError} 401 if `repo` names another one.
 * @throws whatever `getCaller` and the write throw.
 */
export async function writeOwnRepo<T extends { commit: StoredCommit | undefined }>(
  deps: OwnRepoDeps,
  { host, request, auth, input }: XrpcCall<unknown, { repo: string }, WriterAuth>,
  write: (repo: WrittenRepo, tenantId: number) => Promise<T>,
): Promise<T> {
  const { did, epoch: sessionEpoch } = auth
  const known = input.repo === did ? deps.knownWriters.get(host.id, did) : undefined
  if (known === undefined) return write(...(await findOwnRepo()))
  request.logContext.account = did
  request.logContext.tenant = known.tenant_id
  let tried: { value: T } | { error: unknown }
  try {
    await deps.admit(known)
    const value = await write({ accountId: known.id, did, sessionEpoch }, known.tenant_id)
    if (value.commit !== undefined) return value
    tried = { value }
  } catch (error) {
    tried = { error }
  }
  const [repo, tenantId] = await findOwnRepo()
  if (repo.accountId !== known.id) return write(repo, tenantId)
  if ('error' in tried) throw tried.error
  return tried.value

  async function findOwnRepo(): Promise<[repo: WrittenRepo, tenantId: number]> {
    const account = await getCaller(deps, options, request, auth)
    deps.knownWriters.set(account)
    if (isNamed(account, input.repo)) {
      return [{ accountId: account.id, did, sessionEpoch }, account.tenant_id]
    }
    throw new XrpcError(
      401,
      'AuthenticationRequired',
      'The repo is not the one of the account that signed in',
    )
  }
}

/** Returns a commit as methods answer it; nothing if none was made. */
export function commitOutput(commit: StoredCommit | undefined): { commit?: { cid: string; rev: string } } {
  return commit === undefined ? {} : { commit: { cid: cidToString(commit.cid), rev: commit.rev } }
}

function isNamed(account: Account, repo: string): boolean {
  return repo === account.did || (account.handle !== null && repo.toLowerCase() === account.handle)
}
