import { type Account, UnsupportedDomainError } from '@rookery/accounts'
import { type AnyXrpcMethod, type PdsHost, type XrpcCall, defineMethod } from '@rookery/http'
import { type Handle, parseHandle } from '@rookery/syntax'

import { type GiveHandleDeps, giveHandle } from '../../accounts/give-handle.ts'
import { type HandleDeps, assertHandleNames, findOwnDomain } from '../../accounts/handles.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

export type UpdateHandleDeps = HandleDeps & AccessDeps & GiveHandleDeps

/** com.atproto.identity.updateHandle: another handle, under a domain of the account's tenant or of the user's own. */
export function updateHandle(deps: UpdateHandleDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.updateHandle',
    auth: fullAccessAuth(deps),
    handler: async ({
      host,
      input,
      auth: { account },
    }: XrpcCall<unknown, { handle: string }, AccessAuth>) => {
      const handle = parseHandle(input.handle)
      await assertAllowed(deps, host, account, handle)
      await giveHandle(deps, account, handle)
    },
  })
}

async function assertAllowed(
  deps: UpdateHandleDeps,
  host: PdsHost,
  account: Account,
  handle: Handle,
): Promise<void> {
  // Whoever has a handle keeps it, also if the rules have changed since.
  if (handle === account.handle) return
  const domain = findOwnDomain(deps, host, handle)
  if (domain === undefined) return assertHandleNames(deps, handle, account.did)
  if (domain.tenantId !== account.tenant_id) throw new UnsupportedDomainError('Not a supported handle domain')
}
