import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest, readAnswer } from '@rookery/http'
import { isDid, parseAtUri, recordBytesMax } from '@rookery/syntax'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'
import { assertMayCall } from '../../auth/service-calls.ts'
import { type ForwardDeps, forward, serviceOf } from '../../proxy/forward.ts'
import type { Service } from '../../proxy/services.ts'

const nsid = 'app.bsky.feed.getFeed'
const skeletonMethod = 'app.bsky.feed.getFeedSkeleton'

/**
 * app.bsky.feed.getFeed: forwarded to the AppView with a token that is not for the AppView but for the feed's generator,
 * which the AppView hands on to it.
 */
export function getFeed(deps: AccessDeps & ForwardDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: accessAuth(deps, { allowDeactivated: false }),
    handler: async ({ params, auth, request, reply }: XrpcCall<{ feed: string }, unknown, AccessAuth>) => {
      const service = await serviceOf(deps, request, auth, nsid)
      for (const method of [nsid, skeletonMethod]) assertMayCall(auth, { nsid: method, service })
      const token = { audience: await generatorOf(deps, service, params.feed), method: skeletonMethod }
      return forward(deps, { request, reply, auth, nsid, service, token })
    },
  })
}

/** Returns the DID of the generator that the feed's record names, as the AppView has it. */
async function generatorOf(deps: ForwardDeps, { origin }: Service, feed: string): Promise<string> {
  const { authority, collection, rkey } = parseAtUri(feed)
  if (collection === undefined || rkey === undefined) throw unknownFeed()
  const query = new URLSearchParams({ repo: authority, collection, rkey })
  const answer = await deps.upstream.request({
    origin,
    path: `/xrpc/com.atproto.repo.getRecord?${query.toString()}`,
    method: 'GET',
    headers: { accept: 'application/json' },
  })
  const json = (await readAnswer(answer.body, 2 * recordBytesMax)).toString()
  const did = tryParse(json)?.value?.did
  if (typeof did !== 'string' || !isDid(did)) throw unknownFeed()
  return did
}

function tryParse(json: string): { value?: { did?: unknown } } | undefined {
  try {
    return JSON.parse(json) as { value?: { did?: unknown } }
  } catch {
    return undefined
  }
}

function unknownFeed(): Error {
  return invalidRequest('could not resolve feed did', 'UnknownFeed')
}
