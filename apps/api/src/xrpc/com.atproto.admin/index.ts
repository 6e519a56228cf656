import type { AnyXrpcMethod } from '@rookery/http'

import { audited } from '../../auth/audited.ts'
import type { ApiDeps } from '../../deps.ts'
import { disableAccountInvites, enableAccountInvites } from './disableAccountInvites.ts'
import { disableInviteCodes } from './disableInviteCodes.ts'
import { deleteAccount } from './deleteAccount.ts'
import { getAccountInfo } from './getAccountInfo.ts'
import { getAccountInfos } from './getAccountInfos.ts'
import { getInviteCodes } from './getInviteCodes.ts'
import { getSubjectStatus } from './getSubjectStatus.ts'
import { searchAccounts } from './searchAccounts.ts'
import { sendEmail } from './sendEmail.ts'
import { updateAccountEmail } from './updateAccountEmail.ts'
import { updateAccountHandle } from './updateAccountHandle.ts'
import { updateAccountPassword } from './updateAccountPassword.ts'
import { updateSubjectStatus } from './updateSubjectStatus.ts'

/** The methods of com.atproto.admin; what they change is in the audit log. */
export function adminMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [
    deleteAccount(deps),
    disableAccountInvites(deps),
    disableInviteCodes(deps),
    enableAccountInvites(deps),
    getAccountInfo(deps),
    getAccountInfos(deps),
    getInviteCodes(deps),
    getSubjectStatus(deps),
    searchAccounts(deps),
    sendEmail(deps),
    updateAccountEmail(deps),
    updateAccountHandle(deps),
    updateAccountPassword(deps),
    updateSubjectStatus(deps),
  ].map((method) => audited(deps, method))
}
