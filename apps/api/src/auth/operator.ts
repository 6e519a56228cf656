import type { Account } from '@rookery/accounts'
import { XrpcError, invalidRequest } from '@rookery/http'
import type { HostDirectory } from '@rookery/tenants'
import type { FastifyRequest } from 'fastify'

import { isAdmin } from './admin.ts'
import { findCredentials } from './authorization-header.ts'
import { type ServiceAuthDeps, verifyService } from './service.ts'

/** Names the one tenant, by its slug, that an operator's request is about. */
const tenantHeader = 'rookery-tenant'

/** Who runs accounts: the operator, or a tenant's moderation service. */
export type Operator = {
  /** `admin`, or the DID of the moderation service. */
  name: string
  /** The tenants whose accounts are in reach; undefined for all of the host. */
  tenantIds: readonly number[] | undefined
}

export type OperatorDeps = { adminPassword: string; directory: Pick<HostDirectory, 'listTenants'> }

export type ModeratorDeps = OperatorDeps & ServiceAuthDeps

/** Returns the check of methods that are the operator's: HTTP Basic with user `admin`. */
export function operatorAuth(deps: OperatorDeps): (request: FastifyRequest) => Promise<Operator> {
  return async (request) => {
    const credentials = findCredentials(request)
    if (credentials === undefined || !isAdmin(deps.adminPassword, credentials)) {
      throw new XrpcError(401, 'AuthenticationRequired', 'Authentication Required', {
        headers: { 'www-authenticate': 'Basic realm="admin"' },
      })
    }
    return { name: 'admin', tenantIds: await tenantOfHeader(deps, request) }
  }
}

/**
 * Returns the check of methods that are the operator's and those of a tenant's moderation service, which reaches the
 * accounts of the tenants that have chosen it. It calls with a service token of its own.
 */
export function moderatorAuth(
  deps: ModeratorDeps,
  method: string,
): (request: FastifyRequest) => Promise<Operator> {
  const operator = operatorAuth(deps)
  return async (request) => {
    const credentials = findCredentials(request)
    if (credentials?.scheme !== 'bearer') return operator(request)
    const tenants = await deps.directory.listTenants()
    const isTrusted = (did: string): boolean =>
      tenants.some(({ settings }) => settings.moderation?.did === did)
    const { did } = await verifyService(
      deps,
      { method, isTrusted, mayBeLabeler: true },
      request,
      credentials.value,
    )
    const reached = tenants.filter(({ settings }) => settings.moderation?.did === did)
    return { name: did, tenantIds: reached.map(({ id }) => id) }
  }
}

/** Tells whether the account is in the operator's reach. */
export function isInReach({ tenantIds }: Operator, account: Pick<Account, 'tenant_id'>): boolean {
  return tenantIds === undefined || tenantIds.includes(account.tenant_id)
}

async function tenantOfHeader(
  { directory }: OperatorDeps,
  request: FastifyRequest,
): Promise<[number] | undefined> {
  const slug = request.headers[tenantHeader]
  if (slug === undefined) return undefined
  const tenant = (await directory.listTenants()).find((each) => each.slug === slug)
  if (tenant === undefined) throw invalidRequest(`${tenantHeader} names no tenant`)
  return [tenant.id]
}
