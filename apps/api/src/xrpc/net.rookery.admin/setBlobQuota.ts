import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { setAccountBlobQuota } from '@rookery/records'

import { type Operator, operatorAuth } from '../../auth/operator.ts'
import { getNamedAccount } from '../com.atproto.admin/admin-deps.ts'
import { type BlobUsageDeps, usageOf } from './getBlobUsage.ts'

type Input = { account: string; bytesMax?: number }

/** net.rookery.admin.setBlobQuota: gives an account a quota of its own, or its tenant's again. */
export function setBlobQuota(deps: BlobUsageDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'net.rookery.admin.setBlobQuota',
    auth: operatorAuth(deps),
    handler: async (call: XrpcCall<unknown, Input, Operator>) => {
      const account = await getNamedAccount(deps, call, call.input.account)
      await setAccountBlobQuota(deps.db.pool, account.id, call.input.bytesMax ?? null)
      return usageOf(deps, account)
    },
  })
}
