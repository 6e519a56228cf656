import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import { type Bounce, recordBounce as record } from '@rookery/mail'

import { type Operator, type OperatorDeps, operatorAuth } from '../../auth/operator.ts'

/** net.rookery.mail.recordBounce: notes that a mail came back, and suppresses its address if it always will. */
export function recordBounce(deps: OperatorDeps & { db: Pick<Database, 'pool'> }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'net.rookery.mail.recordBounce',
    auth: operatorAuth(deps),
    handler: ({ host, input, auth }: XrpcCall<unknown, Bounce, Operator>) =>
      record(deps, { hostId: host.id, tenantIds: auth.tenantIds }, input),
  })
}
