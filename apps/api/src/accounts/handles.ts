import {
  type HandleRules,
  UnsupportedDomainError,
  assertCustomHandle,
  assertDecentHandle,
  assertHandleUnderDomain,
  findAccountByHandle,
} from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type PdsHost, invalidRequest } from '@rookery/http'
import { type AtprotoData, type DidDocument, type IdentityResolver, atprotoData } from '@rookery/identity'
import { must } from '@rookery/std'
import { type Handle, invalidHandle } from '@rookery/syntax'
import type { HandleDomain, HostDirectory } from '@rookery/tenants'

export type HandleDeps = {
  db: Pick<Database, 'pool'>
  directory: Pick<HostDirectory, 'findHandleDomain' | 'findTenant'>
  identities: Pick<IdentityResolver, 'resolveHandle'>
  /** Takes `.test` for custom handles: for a local stack only. */
  allowPrivateNetwork: boolean
}

/**
 * Returns the host's handle domain that the handle is under, having checked it against the rules there; undefined for
 * a handle that is under no domain of this cluster.
 *
 * @throws {UnsupportedDomainError} if the domain is another host's.
 * @throws {InvalidHandleError} or {HandleNotAvailableError} if the handle breaks the rules.
 */
export async function findOwnDomain(
  deps: HandleDeps,
  host: PdsHost,
  handle: Handle,
): Promise<HandleDomain | undefined> {
  const domain = deps.directory.findHandleDomain(handle)
  if (domain === undefined) return undefined
  if (domain.hostId !== host.id) throw new UnsupportedDomainError('Not a supported handle domain')
  assertHandleUnderDomain(handle, domain.domain, await rulesOf(deps, domain.tenantId))
  return domain
}

/**
 * Returns if an account of the tenant may have the custom handle: it is decent, and names the DID.
 *
 * @throws {InvalidHandleError} if it is offensive.
 * @throws whatever `assertHandleNames` throws.
 */
export async function assertOwnHandle(
  deps: HandleDeps,
  handle: Handle,
  of: { did: string; tenantId: number },
): Promise<void> {
  assertDecentHandle(handle, await rulesOf(deps, of.tenantId))
  await assertHandleNames(deps, handle, of.did)
}

/**
 * Returns if a custom handle names the DID, asked anew.
 *
 * @throws {InvalidHandleError} if it can be on no public DNS.
 * @throws {XrpcError} 400 if it names somebody else or nobody.
 */
export async function assertHandleNames(deps: HandleDeps, handle: Handle, did: string): Promise<void> {
  assertCustomHandle(handle, { allowTest: deps.allowPrivateNetwork })
  if ((await deps.identities.resolveHandle(handle, { refresh: true })) !== did) {
    throw invalidRequest('External handle did not resolve to DID')
  }
}

/**
 * Returns the DID that a handle names: by the host's own active accounts first, else by DNS or HTTPS; undefined if
 * nobody.
 *
 * @param options.refresh asks the network whatever the cache holds.
 */
export async function findDidOfHandle(
  deps: HandleDeps,
  host: PdsHost,
  handle: Handle,
  options: { refresh?: boolean } = {},
): Promise<string | undefined> {
  const account = await findAccountByHandle(deps.db.pool, host.id, handle)
  if (account?.status === 'active') return account.did
  // Under our own domains nobody else would know better; elsewhere a handle may have moved on with its account.
  if (deps.directory.findHandleDomain(handle)?.hostId === host.id) return undefined
  return deps.identities.resolveHandle(handle, options)
}

/** Returns the handle that a DID document claims if the handle names the DID in turn, else `handle.invalid`. */
export async function verifiedHandle(
  deps: HandleDeps,
  host: PdsHost,
  document: DidDocument,
  options: { refresh?: boolean } = {},
): Promise<Handle> {
  const { did, handle }: AtprotoData = atprotoData(document)
  if (handle === undefined) return invalidHandle
  return (await findDidOfHandle(deps, host, handle, options)) === did ? handle : invalidHandle
}

async function rulesOf({ directory }: HandleDeps, tenantId: number): Promise<HandleRules> {
  return must(await directory.findTenant(tenantId), 'a domain and an account have a tenant').settings
}
