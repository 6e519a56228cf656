import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { type BatchWrite, type WrittenRecord, applyWrites as apply } from '@rookery/records'
import type { DataObject } from '@rookery/syntax'

import { type WriterAuth, assertMayWrite, commitOutput, writeOwnRepo, writerAuth } from './own-repo.ts'
import { type RepoWriteDeps, writeInputBytesMax } from './repo-deps.ts'
import { findWriteLexicons } from './write-lexicons.ts'

const nsid = 'com.atproto.repo.applyWrites'

type Action = 'create' | 'update' | 'delete'
type Input = {
  repo: string
  validate?: boolean
  writes: ({ $type: string; collection: string } & (
    | { $type: `${typeof nsid}#create`; rkey?: string; value: DataObject }
    | { $type: `${typeof nsid}#update`; rkey: string; value: DataObject }
    | { $type: `${typeof nsid}#delete`; rkey: string }
  ))[]
  swapCommit?: string
}

/** com.atproto.repo.applyWrites: carries out a batch of writes to the caller's repo as one commit. */
export function applyWrites(deps: RepoWriteDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: writerAuth(deps),
    inputBytesMax: writeInputBytesMax,
    handler: async (call: XrpcCall<unknown, Input, WriterAuth>) => {
      const { validate, swapCommit } = call.input
      const writes = call.input.writes.map(toBatchWrite)
      for (const { action, collection } of writes) assertMayWrite(call.auth, action, collection)
      const { commit, result } = await writeOwnRepo(deps, call, async (repo, tenantId) => {
        const written = writes.filter(({ action }) => action !== 'delete')
        const collections = written.map(({ collection }) => collection)
        const lexicons = await findWriteLexicons(deps, tenantId, { collections, validate })
        return apply({ ...deps, lexicons }, repo, { writes, validate, swapCommit })
      })
      return {
        ...commitOutput(commit),
        results: result.map((written, index) => toResult(writes[index]?.action ?? 'delete', written)),
      }
    },
  })
}

function toBatchWrite(write: Input['writes'][number]): BatchWrite {
  const { collection } = write
  if (write.$type === `${nsid}#delete`) return { action: 'delete', collection, rkey: write.rkey }
  const action = write.$type === `${nsid}#update` ? 'update' : 'create'
  return { action, collection, rkey: write.rkey, record: write.value }
}

function toResult(action: Action, written: WrittenRecord | undefined): object {
  return { $type: `${nsid}#${action}Result`, ...written }
}
