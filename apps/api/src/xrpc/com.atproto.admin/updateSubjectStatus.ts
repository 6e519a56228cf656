import {
  AccountNotFoundError,
  type StatusChange,
  changeAccountStatus,
  findAccountByDid,
} from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'

import { type AdminAuth, adminAuth } from '../../auth/admin.ts'
import { onlyAccounts, subjectStatus } from './getSubjectStatus.ts'

type Attribute = { applied: boolean; ref?: string }
type Input = { subject: { $type?: string; did?: string }; takedown?: Attribute; deactivated?: Attribute }

export type UpdateSubjectStatusDeps = {
  db: Pick<Database, 'pool'>
  adminPassword: string
  wakeSequencer: () => void
}

/** com.atproto.admin.updateSubjectStatus, for accounts: takes one down or lifts that, deactivates or activates it. */
export function updateSubjectStatus(deps: UpdateSubjectStatusDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.admin.updateSubjectStatus',
    auth: adminAuth(deps.adminPassword),
    handler: async ({ host, input }: XrpcCall<unknown, Input, AdminAuth>) => {
      const { subject, takedown, deactivated } = input
      if (subject.$type !== 'com.atproto.admin.defs#repoRef' || subject.did === undefined)
        throw onlyAccounts()
      if (takedown?.applied === true && deactivated?.applied === false) {
        throw invalidRequest('Cannot activate and takedown an account at the same time')
      }
      const account = await findAccountByDid(deps.db.pool, { hostId: host.id, did: subject.did })
      if (account === undefined) throw new AccountNotFoundError('Account not found')
      const after = await changeAccountStatus(deps, account.id, changeOf(takedown, deactivated))
      deps.wakeSequencer()
      const { subject: answered, takedown: applied } = subjectStatus(after)
      return takedown === undefined ? { subject: answered } : { subject: answered, takedown: applied }
    },
  })
}

function changeOf(takedown: Attribute | undefined, deactivated: Attribute | undefined): StatusChange {
  const change: StatusChange = {}
  if (takedown !== undefined) {
    change.takedown = takedown.applied ? { ref: takedown.ref ?? new Date().toISOString() } : null
  }
  if (deactivated !== undefined) change.deactivated = deactivated.applied ? { deleteAfter: null } : null
  return change
}
