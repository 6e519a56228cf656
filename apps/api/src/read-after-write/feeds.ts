import type { LocalPost, PostRecord } from './local-records.ts'
import type { Viewer } from './viewer.ts'
import type { FeedItem } from './views.ts'

/** Returns the feed with the caller's posts of these that it lacks, each where its time puts it. */
export async function withPosts(
  viewer: Viewer,
  feed: readonly FeedItem[],
  posts: readonly LocalPost[],
): Promise<FeedItem[]> {
  const known = new Set(feed.map(({ post }) => post.uri))
  // What is older than the page belongs to a later one.
  const last = feed.at(-1)?.post.indexedAt ?? ''
  const merged = [...feed]
  for (const local of posts.toReversed()) {
    if (known.has(local.uri) || local.indexedAt <= last) continue
    const post = await viewer.post(local)
    const at = merged.findIndex((item) => item.post.indexedAt < post.indexedAt)
    merged.splice(at === -1 ? merged.length : at, 0, { post })
  }
  return merged
}

/** Returns the feed with the caller's profile as it is now wherever it is a post's author. */
export function withAuthor(viewer: Viewer, feed: readonly FeedItem[]): FeedItem[] {
  return feed.map((item) => ({
    ...item,
    post: { ...item.post, author: viewer.updated(item.post.author, 'basic') },
  }))
}

/** Returns those of an author's posts that a filter of its feed lets through. */
export function filtered(viewer: Viewer, posts: readonly LocalPost[], filter: string): LocalPost[] {
  if (filter === 'posts_with_replies') return [...posts]
  if (filter === 'posts_no_replies') return posts.filter(({ record }) => record.reply === undefined)
  if (filter === 'posts_with_media') return posts.filter(({ record }) => hasMedia(record))
  if (filter !== 'posts_and_author_threads') return []
  const own = `at://${viewer.did}/`
  return posts.filter(({ record }) => record.reply === undefined || record.reply.root.uri.startsWith(own))
}

function hasMedia({ embed }: PostRecord): boolean {
  return embed?.$type === 'app.bsky.embed.images' || embed?.$type === 'app.bsky.embed.recordWithMedia'
}
