import { type AnyXrpcMethod, defineMethod } from '@rookery/http'

import { type AccessDeps, accessAuth } from '../../auth/access.ts'

/** com.atproto.temp.checkSignupQueue: no account waits for its turn here. */
export function checkSignupQueue(deps: AccessDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.temp.checkSignupQueue',
    auth: accessAuth(deps),
    handler: () => ({ activated: true }),
  })
}
