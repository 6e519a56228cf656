import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { parseHandle } from '@rookery/syntax'

import { chooseHandle } from '../../accounts/choose-handle.ts'
import type { GiveHandleDeps } from '../../accounts/give-handle.ts'
import type { HandleDeps } from '../../accounts/handles.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

export type UpdateHandleDeps = HandleDeps & AccessDeps & GiveHandleDeps

/** com.atproto.identity.updateHandle: another handle, under a domain of the account's tenant or of the user's own. */
export function updateHandle(deps: UpdateHandleDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.updateHandle',
    auth: fullAccessAuth(deps),
    handler: ({ host, input, auth }: XrpcCall<unknown, { handle: string }, AccessAuth>) =>
      chooseHandle(deps, host, auth.account, parseHandle(input.handle)),
  })
}
