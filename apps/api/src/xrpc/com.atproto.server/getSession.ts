import { standardScopes } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { accountAnswer } from '../../accounts/session-answer.ts'
import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'

/** com.atproto.server.getSession: who the caller is, and how the account stands. */
export function getSession(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.getSession',
    auth: accessAuth(deps, {
      scopes: [...standardScopes, 'com.atproto.signupQueued'],
      allowTakendown: true,
    }),
    handler: ({ auth: { account, permissions } }: XrpcCall<unknown, unknown, AccessAuth>) => {
      const withoutEmail = permissions?.allowsAccount({ attr: 'email', action: 'read' }) === false
      return accountAnswer(account, { withoutEmail })
    },
  })
}
