import { type Account, UnsupportedDomainError, changeHandle } from '@rookery/accounts'
import { type AnyXrpcMethod, type PdsHost, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { type IdentityResolver, type PlcIdentities, atprotoData } from '@rookery/identity'
import { type Handle, parseHandle } from '@rookery/syntax'

import { type HandleDeps, assertHandleNames, findOwnDomain } from '../../accounts/handles.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

export type UpdateHandleDeps = HandleDeps &
  AccessDeps & {
    identities: IdentityResolver
    plc: PlcIdentities
    wakeSequencer: () => void
  }

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
      await changeHandle(deps, account, { handle, publish: () => publish(deps, account.did, handle) })
      await deps.identities.forget({ did: account.did, handle })
      if (account.handle !== null) await deps.identities.forget({ handle: account.handle })
      deps.wakeSequencer()
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

async function publish(deps: UpdateHandleDeps, did: string, handle: Handle): Promise<void> {
  if (did.startsWith('did:plc:')) return deps.plc.updateHandle(did, handle)
  const document = await deps.identities.resolveDid(did, { refresh: true })
  if (atprotoData(document).handle !== handle) {
    throw invalidRequest('DID is not properly configured for handle')
  }
}
