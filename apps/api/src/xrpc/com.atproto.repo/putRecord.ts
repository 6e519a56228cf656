import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { putRecord as put } from '@rookery/records'
import type { DataObject } from '@rookery/syntax'

import { type AccessAuth, accessAuth } from '../../auth/access.ts'
import { commitOutput, ownRepo } from './own-repo.ts'
import { type RepoWriteDeps, writeInputBytesMax } from './repo-deps.ts'

type Input = {
  repo: string
  collection: string
  rkey: string
  validate?: boolean
  record: DataObject
  swapRecord?: string | null
  swapCommit?: string
}

/** com.atproto.repo.putRecord: creates or replaces a record of the caller's repo. */
export function putRecord(deps: RepoWriteDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.repo.putRecord',
    auth: accessAuth(deps, { allowDeactivated: false }),
    inputBytesMax: writeInputBytesMax,
    handler: async ({ input, auth }: XrpcCall<unknown, Input, AccessAuth>) => {
      const { commit, result } = await put(deps, ownRepo(auth, input.repo), input)
      const { uri, cid, validationStatus } = result
      return { uri, cid, ...commitOutput(commit), validationStatus }
    },
  })
}
