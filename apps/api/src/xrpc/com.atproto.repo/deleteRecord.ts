import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { deleteRecord as remove } from '@rookery/records'

import { type AccessAuth, accessAuth } from '../../auth/access.ts'
import { commitOutput, ownRepo } from './own-repo.ts'
import type { RepoWriteDeps } from './repo-deps.ts'

type Input = {
  repo: string
  collection: string
  rkey: string
  swapRecord?: string
  swapCommit?: string
}

/** com.atproto.repo.deleteRecord: removes a record of the caller's repo, if it is there. */
export function deleteRecord(deps: Omit<RepoWriteDeps, 'lexicons' | 'clock'>): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.repo.deleteRecord',
    auth: accessAuth(deps, { allowDeactivated: false }),
    handler: async ({ input, auth }: XrpcCall<unknown, Input, AccessAuth>) =>
      commitOutput(await remove(deps, ownRepo(auth, input.repo), input)),
  })
}
