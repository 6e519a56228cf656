import { type PasswordHasher, resetPassword as reset } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { unauthenticated } from '../../auth/unauthenticated.ts'

type Deps = { db: Pick<Database, 'pool'>; passwords: PasswordHasher }

/** com.atproto.server.resetPassword: sets a new password with the token that was mailed, and ends all sessions. */
export function resetPassword(deps: Deps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.resetPassword',
    auth: unauthenticated,
    handler: ({ host, input }: XrpcCall<unknown, { token: string; password: string }, null>) =>
      reset(deps, host.id, input),
  })
}
