import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getRecommendedDidCredentials } from './getRecommendedDidCredentials.ts'
import { requestPlcOperationSignature } from './requestPlcOperationSignature.ts'
import { resolveDid } from './resolveDid.ts'
import { resolveHandle } from './resolveHandle.ts'
import { refreshIdentity, resolveIdentity } from './resolveIdentity.ts'
import { signPlcOperation } from './signPlcOperation.ts'
import { submitPlcOperation } from './submitPlcOperation.ts'
import { updateHandle } from './updateHandle.ts'

/** The methods of com.atproto.identity. */
export function identityMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [
    getRecommendedDidCredentials(deps),
    refreshIdentity(deps),
    requestPlcOperationSignature(deps),
    resolveDid(deps),
    resolveHandle(deps),
    resolveIdentity(deps),
    signPlcOperation(deps),
    submitPlcOperation(deps),
    updateHandle(deps),
  ]
}
