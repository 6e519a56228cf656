import { type AnyXrpcMethod, XrpcError } from '@rookery/http'
import { atUri, isTid, tryParseAtUri } from '@rookery/syntax'

import type { Service } from '../../proxy/services.ts'
import { findLocalRecords } from '../../read-after-write/local-records.ts'
import { type ReadCall, type ReadDeps, readMethod, tellLag } from '../../read-after-write/read-method.ts'
import { withReplies } from '../../read-after-write/threads.ts'
import { queryAs, viewerFor } from '../../read-after-write/viewer-for.ts'
import type { Viewer } from '../../read-after-write/viewer.ts'
import { type ThreadView, isThread, threadOf } from '../../read-after-write/views.ts'

const nsid = 'app.bsky.feed.getPostThread'

type Params = { uri: string; parentHeight: number }

/**
 * app.bsky.feed.getPostThread: with the caller's latest replies; and the thread of a post of the caller that the AppView
 * does not know yet.
 */
export function getPostThread(deps: ReadDeps): AnyXrpcMethod {
  return readMethod<Params, { thread: unknown }>(deps, {
    nsid,
    adjust: async (viewer, output) => {
      if (!isThread(output.thread)) return output
      return { ...output, thread: await withReplies(viewer, output.thread, viewer.local.posts) }
    },
    recover: async (error, call, service) => {
      const rev =
        error instanceof XrpcError && error.error === 'NotFound' && error.headers['atproto-repo-rev']
      if (typeof rev !== 'string' || !isTid(rev)) throw error
      const local = await findLocalRecords(deps.db.pool, call.auth.account, rev)
      const viewer = local && (await viewerFor(deps, call, { service, local }))
      const thread = viewer && (await threadAt(viewer, call))
      if (thread === undefined || local === undefined) throw error
      tellLag(call, local)
      return { thread: await withParents(deps, { call, service, thread }) }
    },
  })
}

/** Returns the thread of the caller's post that is asked for, or undefined if it is none of the latest. */
async function threadAt(viewer: Viewer, { params }: ReadCall<Params>): Promise<ThreadView | undefined> {
  const { posts } = viewer.local
  const { authority, collection, rkey } = tryParseAtUri(params.uri) ?? {}
  if (authority === undefined || collection === undefined || rkey === undefined) return undefined
  if (!viewer.isCaller(authority)) return undefined
  const uri = atUri(viewer.did, collection, rkey)
  const found = posts.find((post) => post.uri === uri)
  return found && withReplies(viewer, threadOf(await viewer.post(found)), posts)
}

/** A thread without what it answers to is better than none. */
async function withParents(
  deps: ReadDeps,
  { call, service, thread }: { call: ReadCall<Params>; service: Service; thread: ThreadView },
): Promise<ThreadView> {
  const parent = thread.post.record.reply?.parent.uri
  if (parent === undefined) return thread
  try {
    const params = { uri: parent, parentHeight: String(call.params.parentHeight), depth: '0' }
    const answer = await queryAs(deps, call.auth.account, service)(nsid, params)
    return { ...thread, parent: answer['thread'] }
  } catch {
    return thread
  }
}
