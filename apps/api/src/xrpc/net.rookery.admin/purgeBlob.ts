import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { purgeBlob as purge } from '@rookery/records'
import { parseCid } from '@rookery/syntax'

import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { type AdminDeps, getNamedAccount } from '../com.atproto.admin/admin-deps.ts'

type Input = { account: string; cid: string; ref?: string }

/** net.rookery.admin.purgeBlob: deletes a blob's bytes for good, at once for everybody. */
export function purgeBlob(deps: AdminDeps & { wakeWorkers: () => void }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'net.rookery.admin.purgeBlob',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<unknown, Input, Operator>) => {
      const { account: name, cid, ref = new Date().toISOString() } = call.input
      const account = await getNamedAccount(deps, call, name)
      const { id: accountId, host_id: hostId, tenant_id: tenantId } = account
      await purge(deps.db.pool, { hostId, tenantId, accountId, cid: parseCid(cid), ref })
      deps.wakeWorkers()
    },
  })
}
