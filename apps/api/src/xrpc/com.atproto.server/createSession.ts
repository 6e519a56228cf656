import { type SignInDeps, signIn } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { sessionAnswer } from '../../accounts/session-answer.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

type Input = { identifier: string; password: string; allowTakendown?: boolean }

/** com.atproto.server.createSession: signs in with handle, DID or e-mail address and the password. */
export function createSession(deps: SignInDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.createSession',
    auth: unauthenticated,
    handler: async ({ host, input }: XrpcCall<unknown, Input, null>) => {
      const { identifier, password, allowTakendown = false } = input
      return sessionAnswer(await signIn(deps, host, { identifier, password, allowTakendown }))
    },
  })
}
