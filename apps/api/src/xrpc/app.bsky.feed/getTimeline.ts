import type { AnyXrpcMethod } from '@rookery/http'

import { withPosts } from '../../read-after-write/feeds.ts'
import { type ReadDeps, readMethod } from '../../read-after-write/read-method.ts'
import type { FeedItem } from '../../read-after-write/views.ts'

/** app.bsky.feed.getTimeline: with the caller's latest posts, which are on the first page. */
export function getTimeline(deps: ReadDeps): AnyXrpcMethod {
  return readMethod<{ cursor?: string }, { feed: FeedItem[] }>(deps, {
    nsid: 'app.bsky.feed.getTimeline',
    adjust: async (viewer, output, { cursor }) => {
      if (cursor !== undefined) return output
      return { ...output, feed: await withPosts(viewer, output.feed, viewer.local.posts) }
    },
  })
}
