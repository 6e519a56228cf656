import type { AnyXrpcMethod } from '@rookery/http'

import { audited } from '../../auth/audited.ts'
import type { ApiDeps } from '../../deps.ts'
import { getBlobUsage } from './getBlobUsage.ts'
import { listAuditEntries } from './listAuditEntries.ts'
import { listImports } from './listImports.ts'
import { purgeBlob } from './purgeBlob.ts'
import { setBlobQuota } from './setBlobQuota.ts'
import { suspendAccount, unsuspendAccount } from './suspendAccount.ts'

/** The methods of net.rookery.admin; what they change is in the audit log. */
export function rookeryAdminMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [
    getBlobUsage(deps),
    listAuditEntries(deps),
    listImports(deps),
    purgeBlob(deps),
    setBlobQuota(deps),
    suspendAccount(deps),
    unsuspendAccount(deps),
  ].map((method) => audited(deps, method))
}
