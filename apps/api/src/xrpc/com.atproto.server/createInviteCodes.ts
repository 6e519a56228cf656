import {
  createInviteCodes as makeCodes,
  findAccountsByDid,
  inviteCodesMax,
  inviteUsesMax,
} from '@rookery/accounts'
import { type Database, inTransaction } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'

import { type Operator, type OperatorDeps, operatorAuth } from '../../auth/operator.ts'

export type InviteDeps = OperatorDeps & { db: Pick<Database, 'pool'>; directory: HostDirectory }

type Wanted = { uses: number; codesPerAccount: number; forAccounts: string[] }

type Call<Input> = XrpcCall<unknown, Input, Operator>

/** com.atproto.server.createInviteCode: one code, by the operator. */
export function createInviteCode(deps: InviteDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.createInviteCode',
    auth: operatorAuth(deps),
    handler: async (call: Call<{ useCount: number; forAccount?: string }>) => {
      const { useCount: uses, forAccount = 'admin' } = call.input
      const made = await make(deps, call, { uses, codesPerAccount: 1, forAccounts: [forAccount] })
      return { code: must(made[0]?.codes[0]) }
    },
  })
}

/** com.atproto.server.createInviteCodes: as many codes for each of the accounts, by the operator. */
export function createInviteCodes(deps: InviteDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.createInviteCodes',
    auth: operatorAuth(deps),
    handler: async (call: Call<{ codeCount: number; useCount: number; forAccounts?: string[] }>) => {
      const { useCount: uses, codeCount: codesPerAccount, forAccounts = ['admin'] } = call.input
      return { codes: await make(deps, call, { uses, codesPerAccount, forAccounts }) }
    },
  })
}

async function make(
  deps: InviteDeps,
  { host, auth }: Pick<Call<unknown>, 'host' | 'auth'>,
  { uses, codesPerAccount, forAccounts }: Wanted,
): Promise<{ account: string; codes: string[] }[]> {
  const count = codesPerAccount * forAccounts.length
  if (uses < 1 || uses > inviteUsesMax) throw invalidRequest(`useCount must be from 1 to ${inviteUsesMax}`)
  if (codesPerAccount < 0 || count > inviteCodesMax) {
    throw invalidRequest(`at most ${inviteCodesMax} codes can be made at once`)
  }
  const accountsByTenant = await byTenant(deps, { host, auth }, forAccounts)
  return inTransaction(deps.db.pool, async (tx) => {
    const made = []
    for (const [tenantId, accounts] of accountsByTenant) {
      const of = { hostId: host.id, tenantId, hostname: host.hostname, createdBy: 'admin' }
      made.push(...(await makeCodes(tx, { ...of, uses, codesPerAccount, forAccounts: accounts })))
    }
    return made
  })
}

/**
 * The codes let in to the tenant that the request names; else to that of the account that they are for; else to the
 * host's default tenant.
 */
async function byTenant(
  deps: InviteDeps,
  { host, auth }: Pick<Call<unknown>, 'host' | 'auth'>,
  forAccounts: string[],
): Promise<Map<number, string[]>> {
  const { defaultTenantId } = must(await deps.directory.findHost(host.hostname))
  const refs = forAccounts.map((did) => ({ hostId: host.id, did }))
  const found = await findAccountsByDid(deps.db.pool, refs)
  return Map.groupBy(forAccounts, (_, n) => auth.tenantIds?.[0] ?? found[n]?.tenant_id ?? defaultTenantId)
}
