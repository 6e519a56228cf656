import type { AnyXrpcMethod } from '@rookery/http'

import { filtered, withAuthor, withPosts } from '../../read-after-write/feeds.ts'
import { type ReadDeps, readMethod } from '../../read-after-write/read-method.ts'
import type { FeedItem } from '../../read-after-write/views.ts'

type Params = { actor: string; filter: string; cursor?: string }

/** app.bsky.feed.getAuthorFeed: the caller's own with its profile and latest posts. */
export function getAuthorFeed(deps: ReadDeps): AnyXrpcMethod {
  return readMethod<Params, { feed: FeedItem[] }>(deps, {
    nsid: 'app.bsky.feed.getAuthorFeed',
    adjust: async (viewer, output, { actor, filter, cursor }) => {
      if (!viewer.isCaller(actor)) return output
      const feed = withAuthor(viewer, output.feed)
      // The latest posts are on the first page.
      if (cursor !== undefined) return { ...output, feed }
      return {
        ...output,
        feed: await withPosts(viewer, feed, filtered(viewer, viewer.local.posts, filter)),
      }
    },
  })
}
