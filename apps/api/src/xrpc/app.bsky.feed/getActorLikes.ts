import type { AnyXrpcMethod } from '@rookery/http'

import { withAuthor } from '../../read-after-write/feeds.ts'
import { type ReadDeps, readMethod } from '../../read-after-write/read-method.ts'
import type { FeedItem } from '../../read-after-write/views.ts'

/** app.bsky.feed.getActorLikes: with the caller's profile as it is now. */
export function getActorLikes(deps: ReadDeps): AnyXrpcMethod {
  return readMethod<unknown, { feed: FeedItem[] }>(deps, {
    nsid: 'app.bsky.feed.getActorLikes',
    adjust: (viewer, output) => ({ ...output, feed: withAuthor(viewer, output.feed) }),
  })
}
