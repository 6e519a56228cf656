import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getActorLikes } from './getActorLikes.ts'
import { getAuthorFeed } from './getAuthorFeed.ts'
import { getFeed } from './getFeed.ts'
import { getPostThread } from './getPostThread.ts'
import { getTimeline } from './getTimeline.ts'

/** Those methods of app.bsky.feed that are not simply forwarded. */
export function feedMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [getActorLikes(deps), getAuthorFeed(deps), getFeed(deps), getPostThread(deps), getTimeline(deps)]
}
