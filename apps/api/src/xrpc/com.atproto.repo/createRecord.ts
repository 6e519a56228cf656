import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { createRecord as create } from '@rookery/records'
import type { DataObject } from '@rookery/syntax'

import { type WriterAuth, assertMayWrite, commitOutput, writeOwnRepo, writerAuth } from './own-repo.ts'
import { type RepoWriteDeps, writeInputBytesMax } from './repo-deps.ts'
import { findWriteLexicons } from './write-lexicons.ts'

type Input = {
  repo: string
  collection: string
  rkey?: string
  validate?: boolean
  record: DataObject
  swapCommit?: string
}

/** com.atproto.repo.createRecord: adds a record to the caller's repo. */
export function createRecord(deps: RepoWriteDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.repo.createRecord',
    auth: writerAuth(deps),
    inputBytesMax: writeInputBytesMax,
    handler: async (call: XrpcCall<unknown, Input, WriterAuth>) => {
      assertMayWrite(call.auth, 'create', call.input.collection)
      const { commit, result } = await writeOwnRepo(deps, call, async (repo, tenantId) => {
        const { collection, validate } = call.input
        const lexicons = await findWriteLexicons(deps, tenantId, { collections: [collection], validate })
        return create({ ...deps, lexicons }, repo, call.input)
      })
      const { uri, cid, validationStatus } = result
      return { uri, cid, ...commitOutput(commit), validationStatus }
    },
  })
}
