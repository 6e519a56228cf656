import { earnInviteCodes, listInviteCodesFor } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import type { HostDirectory } from '@rookery/tenants'

import { inviteView } from '../../accounts/invite-view.ts'
import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

type Params = { includeUsed: boolean; createAvailable: boolean }

/**
 * com.atproto.server.getAccountInviteCodes: the codes with which the account can invite, and first those that it has
 * earned since it last asked. Two calls at once make each code once, so none is answered DuplicateCreate.
 */
export function getAccountInviteCodes(
  deps: AccessDeps & { directory: Pick<HostDirectory, 'getActiveTenant'> },
): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.getAccountInviteCodes',
    auth: fullAccessAuth(deps),
    handler: async ({ host, params, auth: { account } }: XrpcCall<Params, unknown, AccessAuth>) => {
      const { settings } = await deps.directory.getActiveTenant(account.tenant_id)
      const { inviteRequired, inviteIntervalMs, inviteEpochMs } = settings
      if (params.createAvailable && inviteRequired && inviteIntervalMs !== null) {
        const accrual = { intervalMs: inviteIntervalMs, epochMs: inviteEpochMs }
        await earnInviteCodes(deps, account, { hostname: host.hostname, accrual })
      }
      const codes = await listInviteCodesFor(deps.db.pool, host.id, [account.did])
      const shown = codes.filter(
        ({ disabled, uses, available }) => !disabled && (params.includeUsed || uses.length < available),
      )
      return { codes: shown.map(inviteView) }
    },
  })
}
