import type { Account } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { type BlobUsage, findBlobUsage } from '@rookery/records'
import { must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'

import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, getNamedAccount } from '../com.atproto.admin/admin-deps.ts'

export type BlobUsageDeps = AdminDeps & {
  db: Pick<Database, 'pool'>
  directory: Pick<HostDirectory, 'findTenant' | 'listTenants'>
}

type UsageView = { bytes: number; count: number; bytesMax?: number }

/** net.rookery.admin.getBlobUsage: what an account and its tenant have, and may have. */
export function getBlobUsage(deps: BlobUsageDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'net.rookery.admin.getBlobUsage',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<{ account: string }, unknown, Operator>) =>
      usageOf(deps, await getNamedAccount(deps, call, call.params.account)),
  })
}

/** Returns `net.rookery.admin.getBlobUsage#view`. */
export async function usageOf(
  deps: BlobUsageDeps,
  account: Account,
): Promise<{ did: string; account: UsageView; tenant: UsageView }> {
  const usage = must(await findBlobUsage(deps.db.pool, account.id), 'the account was found')
  const { settings } = must(await deps.directory.findTenant(account.tenant_id))
  return {
    did: account.did,
    account: view(usage, usage.bytesMax ?? settings.accountBlobBytesMax),
    tenant: view(usage.tenant, settings.tenantBlobBytesMax),
  }
}

function view({ bytes, count }: BlobUsage, bytesMax: number | null): UsageView {
  return bytesMax === null ? { bytes, count } : { bytes, count, bytesMax }
}
