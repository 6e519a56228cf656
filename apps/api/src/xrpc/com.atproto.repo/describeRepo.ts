import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { type DidDocument, atprotoData } from '@rookery/identity'
import { findRepo, listCollections, requireActive } from '@rookery/records'
import { DomainError, must } from '@rookery/std'
import { invalidHandle } from '@rookery/syntax'

import type { OptionalAuth } from '../../auth/access.ts'
import { readAuth, sendRepoRev } from './read-auth.ts'
import type { DescribeRepoDeps } from './repo-deps.ts'

/** com.atproto.repo.describeRepo: whose a repo is and which collections it has. */
export function describeRepo(deps: DescribeRepoDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.repo.describeRepo',
    auth: readAuth(deps),
    handler: async ({ host, params, auth, reply }: XrpcCall<{ repo: string }, unknown, OptionalAuth>) => {
      await sendRepoRev(deps, reply, auth)
      const repo = await findRepo(deps.db.pool, host.id, params.repo)
      requireActive(params.repo, repo?.status)
      const { accountId, did, handle } = must(repo)
      const didDoc = await resolve(deps, did)
      return {
        handle: handle ?? invalidHandle,
        did,
        didDoc,
        collections: await listCollections(deps.db.pool, accountId),
        handleIsCorrect: handle !== null && atprotoData(didDoc).handle === handle,
      }
    },
  })
}

async function resolve(deps: DescribeRepoDeps, did: string): Promise<DidDocument> {
  try {
    return await deps.identities.resolveDid(did)
  } catch (error) {
    if (error instanceof DomainError) throw invalidRequest(`Could not resolve DID: ${did}`)
    throw error
  }
}
