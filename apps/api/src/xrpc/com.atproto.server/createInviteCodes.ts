import { createInviteCodes as makeCodes, inviteCodesMax, inviteUsesMax } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type PdsHost, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'

export type InviteDeps = { db: Pick<Database, 'pool'>; directory: HostDirectory; adminPassword: string }

type Wanted = { uses: number; codesPerAccount: number; forAccounts: string[] }

/** com.atproto.server.createInviteCode: one code, by the operator. */
export function createInviteCode(deps: InviteDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.createInviteCode',
    auth: adminAuth(deps.adminPassword),
    handler: async ({
      host,
      input,
    }: XrpcCall<unknown, { useCount: number; forAccount?: string }, AdminAuth>) => {
      const forAccounts = [input.forAccount ?? 'admin']
      const made = await make(deps, host, { uses: input.useCount, codesPerAccount: 1, forAccounts })
      return { code: must(made[0]?.codes[0]) }
    },
  })
}

/** com.atproto.server.createInviteCodes: as many codes for each of the accounts, by the operator. */
export function createInviteCodes(deps: InviteDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.createInviteCodes',
    auth: adminAuth(deps.adminPassword),
    handler: async ({
      host,
      input,
    }: XrpcCall<unknown, { codeCount: number; useCount: number; forAccounts?: string[] }, AdminAuth>) => ({
      codes: await make(deps, host, {
        uses: input.useCount,
        codesPerAccount: input.codeCount,
        forAccounts: input.forAccounts ?? ['admin'],
      }),
    }),
  })
}

/** Codes let in to the host's default tenant: the method has no field that would name another. */
async function make(
  deps: InviteDeps,
  host: PdsHost,
  { uses, codesPerAccount, forAccounts }: Wanted,
): Promise<{ account: string; codes: string[] }[]> {
  const count = codesPerAccount * forAccounts.length
  if (uses < 1 || uses > inviteUsesMax) throw invalidRequest(`useCount must be from 1 to ${inviteUsesMax}`)
  if (codesPerAccount < 0 || count > inviteCodesMax) {
    throw invalidRequest(`at most ${inviteCodesMax} codes can be made at once`)
  }
  const { defaultTenantId: tenantId } = must(await deps.directory.findHost(host.hostname))
  return makeCodes(deps.db.pool, {
    hostId: host.id,
    tenantId,
    hostname: host.hostname,
    uses,
    codesPerAccount,
    forAccounts,
    createdBy: 'admin',
  })
}
