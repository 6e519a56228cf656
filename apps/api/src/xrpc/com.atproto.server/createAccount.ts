import { type AnyXrpcMethod, type XrpcCall, XrpcError, defineMethod, invalidRequest } from '@rookery/http'
import { invalidHandle } from '@rookery/syntax'

import { type SignUpDeps, type SignUpInput, signUp } from '../../accounts/sign-up.ts'
import { type ServiceAuth, type ServiceAuthDeps, optionalServiceAuth } from '../../auth/service.ts'

const nsid = 'com.atproto.server.createAccount'

type Input = Pick<SignUpInput, 'handle' | 'email' | 'password' | 'inviteCode' | 'did' | 'recoveryKey'> & {
  plcOp?: unknown
}

/** com.atproto.server.createAccount: with a new DID for anybody, or with the DID that a service token proves. */
export function createAccount(deps: SignUpDeps & ServiceAuthDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: optionalServiceAuth(deps, nsid),
    handler: async ({ host, input, auth, request }: XrpcCall<unknown, Input, ServiceAuth | null>) => {
      if (input.plcOp !== undefined) throw invalidRequest('Unsupported input: "plcOp"')
      if (input.did !== undefined && auth?.did !== input.did) {
        throw new XrpcError(
          401,
          'AuthenticationRequired',
          `Missing auth to create account with did: ${input.did}`,
        )
      }
      // Named one by one: a body may have more fields, and none of them says that a captcha was solved.
      const { handle, email, password, inviteCode, did, recoveryKey } = input
      const wanted = { handle, email, password, inviteCode, did, recoveryKey, address: request.ip }
      const { account, accessJwt, refreshJwt } = await signUp(deps, host, wanted)
      return { handle: account.handle ?? invalidHandle, did: account.did, accessJwt, refreshJwt }
    },
  })
}
