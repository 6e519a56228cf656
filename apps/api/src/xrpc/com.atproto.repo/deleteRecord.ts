import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { deleteRecord as remove } from '@rookery/records'

import { type WriterAuth, assertMayWrite, commitOutput, writeOwnRepo, writerAuth } from './own-repo.ts'
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
    auth: writerAuth(deps),
    handler: async (call: XrpcCall<unknown, Input, WriterAuth>) => {
      assertMayWrite(call.auth, 'delete', call.input.collection)
      const { commit } = await writeOwnRepo(deps, call, async (repo) => ({
        commit: await remove(deps, repo, call.input),
      }))
      return commitOutput(commit)
    },
  })
}
