import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { HandleNotFoundError } from '@rookery/identity'
import { parseHandle } from '@rookery/syntax'

import { type HandleDeps, findDidOfHandle } from '../../accounts/handles.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

/** com.atproto.identity.resolveHandle: the DID that a handle names. */
export function resolveHandle(deps: HandleDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.resolveHandle',
    auth: unauthenticated,
    handler: async ({ host, params }: XrpcCall<{ handle: string }, unknown, null>) => {
      const did = await findDidOfHandle(deps, host, parseHandle(params.handle))
      if (did === undefined) throw new HandleNotFoundError()
      return { did }
    },
  })
}
