import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type DeactivateDeps, deactivate } from '../../accounts/deactivate.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

/** com.atproto.server.deactivateAccount: hides the account, and deletes it after a given instant. */
export function deactivateAccount(deps: AccessDeps & DeactivateDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.deactivateAccount',
    auth: fullAccessAuth(deps, { allowTakendown: true }),
    handler: async ({ host, input, auth }: XrpcCall<unknown, { deleteAfter?: string }, AccessAuth>) => {
      const deleteAfter = input.deleteAfter === undefined ? null : new Date(input.deleteAfter)
      if (Number.isNaN(deleteAfter?.getTime())) throw invalidRequest('deleteAfter must be an instant')
      await deactivate(deps, host, auth.account, deleteAfter)
    },
  })
}
