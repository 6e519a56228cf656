import type { LocalPost } from './local-records.ts'
import type { Viewer } from './viewer.ts'
import { type ThreadView, isThread, threadOf } from './views.ts'

/** Returns the thread with the caller's replies in it that it lacks. */
export async function withReplies(
  viewer: Viewer,
  thread: ThreadView,
  posts: readonly LocalPost[],
): Promise<ThreadView> {
  const root = thread.post.record.reply?.root.uri ?? thread.post.uri
  let grown = thread
  for (const post of posts) {
    if (post.record.reply?.root.uri === root) grown = await insert(viewer, grown, post)
  }
  return grown
}

/** The oldest come first, so that an answer to one's own reply finds it. */
async function insert(viewer: Viewer, thread: ThreadView, local: LocalPost): Promise<ThreadView> {
  const replies = thread.replies ?? []
  if (local.record.reply?.parent.uri === thread.post.uri) {
    if (replies.some((reply) => isThread(reply) && reply.post.uri === local.uri)) return thread
    return { ...thread, replies: [threadOf(await viewer.post(local)), ...replies] }
  }
  if (thread.replies === undefined) return thread
  const grown = await Promise.all(
    replies.map((reply) => (isThread(reply) ? insert(viewer, reply, local) : reply)),
  )
  return { ...thread, replies: grown }
}
