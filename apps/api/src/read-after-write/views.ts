import type { PostRecord } from './local-records.ts'

/** Views as a service answers them, as far as they are looked at; the rest is handed on. */
export type ProfileView = { did: string; [field: string]: unknown }

export type PostView = {
  uri: string
  author: ProfileView
  record: Partial<PostRecord>
  indexedAt: string
  [field: string]: unknown
}

export type FeedItem = { post: PostView; [field: string]: unknown }

export type ThreadView = {
  $type: string
  post: PostView
  parent?: unknown
  replies?: unknown[]
  [field: string]: unknown
}

const threadType = 'app.bsky.feed.defs#threadViewPost'

/** Returns a post as the top of a thread. */
export function threadOf(post: PostView): ThreadView {
  return { $type: threadType, post }
}

/** Tells whether a part of a thread is a post, rather than the word that it is missing or blocked. */
export function isThread(value: unknown): value is ThreadView {
  return typeof value === 'object' && value !== null && '$type' in value && value.$type === threadType
}
