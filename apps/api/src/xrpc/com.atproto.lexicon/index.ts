import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { resolveLexicon } from './resolveLexicon.ts'

/** The methods of com.atproto.lexicon. */
export function lexiconMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [resolveLexicon(deps)]
}
