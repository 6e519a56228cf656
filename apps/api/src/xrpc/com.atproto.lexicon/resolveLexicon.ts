import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import type { LexiconResolver } from '@rookery/lexicon-resolver'

import { unauthenticated } from '../../auth/unauthenticated.ts'

/** com.atproto.lexicon.resolveLexicon: a lexicon as its authority publishes it, bundled or not. */
export function resolveLexicon(deps: { lexiconResolver: Pick<LexiconResolver, 'resolve'> }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.lexicon.resolveLexicon',
    auth: unauthenticated,
    handler: async ({ params }: XrpcCall<{ nsid: string }, unknown, null>) => {
      const { uri, cid, document } = await deps.lexiconResolver.resolve(params.nsid)
      return { uri, cid, schema: document }
    },
  })
}
