import { type StatusChange, changeAccountStatus } from '@rookery/accounts'
import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { restoreBlob, setRecordTakedown, takeDownBlob } from '@rookery/records'
import { businessEvent } from '@rookery/telemetry'

import { type Operator, moderatorAuth } from '../../auth/operator.ts'
import type { AdminDeps } from './admin-deps.ts'
import {
  type StatusAttribute,
  type Subject,
  type SubjectRef,
  getSubject,
  nameOf,
  subjectNotFound,
} from './subjects.ts'

const nsid = 'com.atproto.admin.updateSubjectStatus'

type Change = { takedown?: StatusAttribute; deactivated?: StatusAttribute }
type Input = Change & { subject: Partial<SubjectRef> }

export type UpdateSubjectStatusDeps = AdminDeps & { wakeSequencer: () => void }

/**
 * com.atproto.admin.updateSubjectStatus: takes an account, a record or a blob down or lifts that, and deactivates or
 * activates an account. What is repeated changes nothing and sends no event.
 */
export function updateSubjectStatus(deps: UpdateSubjectStatusDeps): AnyXrpcMethod {
  return defineMethod({
    nsid,
    auth: moderatorAuth(deps, nsid),
    handler: async (call: XrpcCall<unknown, Input, Operator>) => {
      const { subject: ref, takedown, deactivated } = call.input
      if (takedown?.applied === true && deactivated?.applied === false) {
        throw invalidRequest('Cannot activate and takedown an account at the same time')
      }
      await change(deps, await getSubject(deps, call, nameOf(ref)), { takedown, deactivated })
      return takedown === undefined ? { subject: ref } : { subject: ref, takedown }
    },
  })
}

async function change(
  deps: UpdateSubjectStatusDeps,
  subject: Subject,
  { takedown, deactivated }: { [Key in keyof Change]: Change[Key] | undefined },
): Promise<void> {
  if (subject.kind === 'account') {
    await changeAccountStatus(deps, subject.account.id, statusChange(takedown, deactivated))
    return deps.wakeSequencer()
  }
  if (deactivated !== undefined) throw invalidRequest('Only an account can be deactivated')
  if (takedown === undefined) return
  const ref = takedown.applied ? refOf(takedown) : null
  if (subject.kind === 'record') {
    if ((await setRecordTakedown(deps.db.pool, subject.path, ref)) === undefined) throw subjectNotFound()
    businessEvent('recordTakenDown', { account: subject.account.did, ref })
    return
  }
  const blob = { accountId: subject.account.id, cid: subject.cid }
  if (ref === null) await restoreBlob(deps.db.pool, blob)
  else await takeDownBlob(deps.db.pool, { ...blob, ref })
  businessEvent('blobTakenDown', { account: subject.account.did, ref })
}

function statusChange(
  takedown: StatusAttribute | undefined,
  deactivated: StatusAttribute | undefined,
): StatusChange {
  const wanted: StatusChange = {}
  if (takedown !== undefined) wanted.takedown = takedown.applied ? { ref: refOf(takedown) } : null
  if (deactivated !== undefined) wanted.deactivated = deactivated.applied ? { deleteAfter: null } : null
  return wanted
}

function refOf({ ref }: StatusAttribute): string {
  return ref ?? new Date().toISOString()
}
