import { type OfferedEmailToken, assertEmailToken, consumeEmailToken } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { type OperationChange, type PlcIdentities, parseOperationChange } from '@rookery/identity'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

type Input = { token?: string } & Record<keyof OperationChange, unknown>

/** com.atproto.identity.signPlcOperation: an operation as the user wants it, signed with our key and not sent. */
export function signPlcOperation(deps: AccessDeps & { plc: PlcIdentities }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.signPlcOperation',
    auth: fullAccessAuth(deps, { allowTakendown: true }),
    handler: async ({ input, auth: { account } }: XrpcCall<unknown, Input, AccessAuth>) => {
      const { token } = input
      if (token === undefined) {
        throw invalidRequest('email confirmation token required to sign PLC operations')
      }
      const offered: OfferedEmailToken = { accountId: account.id, purpose: 'plc_operation', token }
      await assertEmailToken(deps.db.pool, offered)
      const operation = await deps.plc.signOperation(account.did, parseOperationChange(input))
      // Used up only now: an operation that could not be made costs no token.
      await consumeEmailToken(deps.db.pool, offered)
      return { operation }
    },
  })
}
