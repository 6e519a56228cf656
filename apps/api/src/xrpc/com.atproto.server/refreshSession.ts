import { type RefreshDeps, refreshSession as rotate } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { sessionAnswer } from '../../accounts/session-answer.ts'
import { type RefreshAuth, refreshAuth } from '../../auth/refresh.ts'

/** com.atproto.server.refreshSession: the next pair of tokens, the same one to all who race with one old token. */
export function refreshSession(deps: RefreshDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.refreshSession',
    auth: refreshAuth(deps),
    handler: async ({ host, auth }: XrpcCall<unknown, unknown, RefreshAuth>) =>
      sessionAnswer(await rotate(deps, host, auth)),
  })
}
