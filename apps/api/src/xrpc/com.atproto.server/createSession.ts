import { type SignInDeps, signIn } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'

import { type AccountMailDeps, localeOf } from '../../accounts/account-mail.ts'
import { noteSignIn } from '../../accounts/note-sign-in.ts'
import { mailingFactor } from '../../accounts/second-factor.ts'
import { sessionAnswer } from '../../accounts/session-answer.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

type Input = { identifier: string; password: string; authFactorToken?: string; allowTakendown?: boolean }

/** com.atproto.server.createSession: signs in with handle, DID or e-mail address, the password and a second factor. */
export function createSession(deps: SignInDeps & AccountMailDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.createSession',
    auth: unauthenticated,
    handler: async ({ host, input, request }: XrpcCall<unknown, Input, null>) => {
      const { identifier, password, authFactorToken: factorCode, allowTakendown = false } = input
      const login = { identifier, password, factorCode, allowTakendown }
      const locale = localeOf(request)
      const session = await mailingFactor(deps, locale, () => signIn(deps, host, login))
      await noteSignIn(deps, session.account, { address: request.ip, locale })
      return sessionAnswer(session)
    },
  })
}
