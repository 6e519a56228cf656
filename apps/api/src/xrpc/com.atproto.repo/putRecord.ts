import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { putRecord as put } from '@rookery/records'
import type { DataObject } from '@rookery/syntax'

import { type WriterAuth, assertMayWrite, commitOutput, writeOwnRepo, writerAuth } from './own-repo.ts'
import { type RepoWriteDeps, writeInputBytesMax } from './repo-deps.ts'
import { findWriteLexicons } from './write-lexicons.ts'

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
    auth: writerAuth(deps),
    inputBytesMax: writeInputBytesMax,
    handler: async (call: XrpcCall<unknown, Input, WriterAuth>) => {
      // Which of the two it is to be is known only later: both must be allowed (SPEC SC-4).
      for (const action of ['create', 'update'] as const) {
        assertMayWrite(call.auth, action, call.input.collection)
      }
      const { commit, result } = await writeOwnRepo(deps, call, async (repo, tenantId) => {
        const { collection, validate } = call.input
        const lexicons = await findWriteLexicons(deps, tenantId, { collections: [collection], validate })
        return put({ ...deps, lexicons }, repo, call.input)
      })
      const { uri, cid, validationStatus } = result
      return { uri, cid, ...commitOutput(commit), validationStatus }
    },
  })
}
