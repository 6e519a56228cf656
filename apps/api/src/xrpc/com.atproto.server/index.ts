import type { AnyXrpcMethod } from '@rookery/http'

import { audited } from '../../auth/audited.ts'
import type { ApiDeps } from '../../deps.ts'
import { activateAccount } from './activateAccount.ts'
import { checkAccountStatus } from './checkAccountStatus.ts'
import { confirmEmail } from './confirmEmail.ts'
import { createAccount } from './createAccount.ts'
import { createAppPassword } from './createAppPassword.ts'
import { createInviteCode, createInviteCodes } from './createInviteCodes.ts'
import { createSession } from './createSession.ts'
import { deactivateAccount } from './deactivateAccount.ts'
import { deleteAccount } from './deleteAccount.ts'
import { deleteSession } from './deleteSession.ts'
import { describeServer } from './describeServer.ts'
import { getAccountInviteCodes } from './getAccountInviteCodes.ts'
import { getServiceAuth } from './getServiceAuth.ts'
import { getSession } from './getSession.ts'
import { listAppPasswords } from './listAppPasswords.ts'
import { refreshSession } from './refreshSession.ts'
import { requestAccountDelete } from './requestAccountDelete.ts'
import { requestEmailConfirmation } from './requestEmailConfirmation.ts'
import { requestEmailUpdate } from './requestEmailUpdate.ts'
import { requestPasswordReset } from './requestPasswordReset.ts'
import { reserveSigningKey } from './reserveSigningKey.ts'
import { resetPassword } from './resetPassword.ts'
import { revokeAppPassword } from './revokeAppPassword.ts'
import { updateEmail } from './updateEmail.ts'

/** The methods of com.atproto.server. */
export function serverMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [
    activateAccount(deps),
    checkAccountStatus(deps),
    confirmEmail(deps),
    createAccount(deps),
    createAppPassword(deps),
    audited(deps, createInviteCode(deps)),
    audited(deps, createInviteCodes(deps)),
    createSession(deps),
    deactivateAccount(deps),
    deleteAccount(deps),
    deleteSession(deps),
    describeServer({ directory: deps.directory, uploadBytesMax: deps.config.blobs.uploadBytesMax }),
    getAccountInviteCodes(deps),
    getServiceAuth(deps),
    getSession(deps),
    listAppPasswords(deps),
    refreshSession(deps),
    requestAccountDelete(deps),
    requestEmailConfirmation(deps),
    requestEmailUpdate(deps),
    requestPasswordReset(deps),
    reserveSigningKey(deps),
    resetPassword(deps),
    revokeAppPassword(deps),
    updateEmail(deps),
  ]
}
