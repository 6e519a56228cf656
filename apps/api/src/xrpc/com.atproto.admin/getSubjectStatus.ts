import { type Account, findAccountByDid } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, XrpcError, defineMethod, invalidRequest } from '@rookery/http'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'

type Params = { did?: string; uri?: string; blob?: string }

/** How an account stands, as the admin methods answer it. */
export type SubjectStatus = {
  subject: { $type: 'com.atproto.admin.defs#repoRef'; did: string }
  takedown: { applied: boolean; ref?: string }
  deactivated: { applied: boolean }
}

/** com.atproto.admin.getSubjectStatus, for accounts. */
export function getSubjectStatus(deps: { db: Pick<Database, 'pool'>; adminPassword: string }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.getSubjectStatus',
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, params }: XrpcCall<Params, unknown, AdminAuth>) => {
      if (params.uri !== undefined || params.blob !== undefined) throw onlyAccounts()
      if (params.did === undefined) throw invalidRequest('No provided subject')
      const account = await findAccountByDid(deps.db.pool, { hostId: host.id, did: params.did })
      if (account === undefined) throw invalidRequest('Subject not found', 'NotFound')
      return subjectStatus(account)
    },
  })
}

/** Returns how an account stands. */
export function subjectStatus(account: Account): SubjectStatus {
  const { did, takedown_ref: ref } = account
  return {
    subject: { $type: 'com.atproto.admin.defs#repoRef', did },
    takedown: ref === null ? { applied: false } : { applied: true, ref },
    deactivated: { applied: account.deactivated_at !== null },
  }
}

/** Returns the answer for subjects that are no accounts. */
export function onlyAccounts(): XrpcError {
  return new XrpcError(501, 'MethodNotImplemented', 'Only the status of accounts is kept')
}
