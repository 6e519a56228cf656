import { type AnyXrpcMethod, type PdsHost, type XrpcCall, defineMethod } from '@rookery/http'
import { type DidDocument, HandleNotFoundError, type IdentityResolver } from '@rookery/identity'
import { isDid, parseHandle } from '@rookery/syntax'

import { type HandleDeps, findDidOfHandle, verifiedHandle } from '../../accounts/handles.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

export type ResolveIdentityDeps = HandleDeps & { identities: IdentityResolver }

type Identity = { did: string; handle: string; didDoc: DidDocument }

/** com.atproto.identity.resolveIdentity: DID, document and the handle that both agree on. */
export function resolveIdentity(deps: ResolveIdentityDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.resolveIdentity',
    auth: unauthenticated,
    handler: ({ host, params }: XrpcCall<{ identifier: string }, unknown, null>) =>
      resolve(deps, host, params.identifier, { refresh: false }),
  })
}

/** com.atproto.identity.refreshIdentity: the same, asked anew. */
export function refreshIdentity(deps: ResolveIdentityDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.identity.refreshIdentity',
    auth: unauthenticated,
    handler: ({ host, input }: XrpcCall<unknown, { identifier: string }, null>) =>
      resolve(deps, host, input.identifier, { refresh: true }),
  })
}

async function resolve(
  deps: ResolveIdentityDeps,
  host: PdsHost,
  identifier: string,
  options: { refresh: boolean },
): Promise<Identity> {
  const did = isDid(identifier)
    ? identifier
    : await findDidOfHandle(deps, host, parseHandle(identifier), options)
  if (did === undefined) throw new HandleNotFoundError()
  const didDoc = await deps.identities.resolveDid(did, options)
  return { did, handle: await verifiedHandle(deps, host, didDoc, options), didDoc }
}
