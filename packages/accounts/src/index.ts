export { appendAccountEvent, appendIdentityEvent } from './account-events.ts'
export { AccountReader } from './account-reader.ts'
export {
  columns as accountColumns,
  findAccount,
  findAccountByDid,
  findAccountByEmail,
  findAccountByHandle,
  findAccountById,
  findAccountsByDid,
  findHostOfHandle,
  updateAccountHandle,
  updateInvitesDisabled,
  updatePasswordHash,
} from './account-queries.ts'
export { type Account, type AccountRef, type AccountWithPassword, activeAndStatus } from './account.ts'
export {
  type AppPassword,
  createAppPassword,
  listAppPasswords,
  revokeAppPassword,
} from './app-passwords/app-passwords.ts'
export {
  type AuditEntry,
  type AuditPage,
  type NewAuditEntry,
  appendAuditEntry,
  listAuditEntries,
} from './audit/audit-queries.ts'
export { deleteExpiredTokens } from './clean-up-queries.ts'
export { confirmEmail } from './email/confirm-email.ts'
export { type EmailDeps, setEmail, updateEmail } from './email/update-email.ts'
export { parseEmail, parseOwnEmail } from './email-rules.ts'
export {
  type OfferedEmailToken,
  assertEmailToken,
  consumeEmailToken,
  issueEmailToken,
} from './email-tokens/email-tokens.ts'
export {
  AccountNotFoundError,
  AccountTakedownError,
  AppPasswordRefusedError,
  ConflictingStatusError,
  DidNotAvailableError,
  EmailNotAvailableError,
  EmailTokenRequiredError,
  ExpiredTokenError,
  type FactorKind,
  FactorRefusedError,
  FactorRequiredError,
  HandleNotAvailableError,
  InvalidEmailError,
  InvalidInviteCodeError,
  InvalidLoginError,
  InvalidPasskeyError,
  InvalidPasswordError,
  InvalidPreferencesError,
  InvalidTokenError,
  NoEmailAddressError,
  PasswordQueueFullError,
  SignUpExpiredError,
  SignUpClosedError,
  UnsupportedDomainError,
} from './errors.ts'
export {
  type ManageFactorsDeps,
  beginTotp,
  confirmTotp,
  findPendingTotp,
  removeTotp,
  renewRecoveryCodes,
  setEmailFactor,
} from './factors/manage-factors.ts'
export { countRecoveryCodes } from './factors/factor-queries.ts'
export {
  type FactorDeps,
  type SecretWrapper,
  assertSecondFactor,
  listFactorKinds,
} from './factors/second-factor.ts'
export { describeTotp } from './factors/totp.ts'
export {
  countTrustedDevices,
  distrustDevices,
  isKnownBrowser,
  isTrustedDevice,
  forgetOldNetworks,
  isNetworkNoted,
  networkDevice,
  noteDevice,
} from './devices/known-device-queries.ts'
export { type Passkey, insertUsedChallenge, listPasskeys } from './passkeys/passkey-queries.ts'
export {
  type PasskeyAnswer,
  type PasskeyHost,
  addPasskey,
  passkeyCreation,
  passkeyRequest,
  removePasskey,
  signInWithPasskey,
} from './passkeys/passkeys.ts'
export { type FailureKind, type NoteFailure, countSignInFailure } from './audit/sign-in-failure-queries.ts'
export { type HeldFactor, listHeldFactors, removeHeldFactors } from './factors/lost-factors.ts'
export { changeHandle } from './handles/change-handle.ts'
export {
  type HandleRules,
  assertCustomHandle,
  assertDecentHandle,
  assertHandleUnderDomain,
} from './handles/handle-rules.ts'
export { type CreateInviteCodesInput, createInviteCodes } from './invites/create-invite-codes.ts'
export { earnInviteCodes } from './invites/earn-invite-codes.ts'
export type { InviteAccrual } from './invites/earned-codes.ts'
export { type InviteCodesToDisable, disableInviteCodes, enableInviteCodes } from './invites/invite-queries.ts'
export {
  type InviteCode,
  type InviteCodePage,
  findInvitesOf,
  listInviteCodes,
  listInviteCodesFor,
} from './invites/list-invite-queries.ts'
export {
  appPasswordNameLengthMax,
  appPasswordsMax,
  emailTokenAttemptsMax,
  emailTokenLifeMs,
  inviteCodesMax,
  inviteUsesMax,
  preferencesMax,
  recoveryCodesMax,
  signInAlertsHourMax,
  tokenLengthMax,
  totpFreeFailures,
} from './limits.ts'
export { type AccountFilter, listAccounts, sampleAccounts } from './list-accounts-queries.ts'
export { type PasswordCheck, PasswordHasher } from './passwords/password-hasher.ts'
export { type PasswordDeps, resetPassword, setPassword } from './passwords/reset-password.ts'
export { assertNewPassword, assertOfferedPassword } from './passwords/password-rules.ts'
export {
  type Preference,
  type PreferenceAccess,
  getPreferences,
  putPreferences,
} from './preferences/preferences.ts'
export {
  type AccessScope,
  fullScopes,
  isAccessScope,
  privilegedScopes,
  refreshScope,
  standardScopes,
} from './sessions/scopes.ts'
export {
  type ListedSession,
  type PasswordSession,
  listPasswordSessions,
  listSessions,
} from './sessions/list-sessions-queries.ts'
export { endPasswordSession, endSessions } from './sessions/session-queries.ts'
export {
  type AccessClaims,
  type RefreshClaims,
  SessionTokens,
  type SessionTokensOptions,
  peekTokenType,
} from './sessions/session-tokens.ts'
export {
  type RefreshDeps,
  type Session,
  type SessionHost,
  type SignInDeps,
  type SignInInput,
  type SignInPolicy,
  checkPassword,
  endSession,
  refreshSession,
  signIn,
  startSession,
} from './sessions/sessions.ts'
export {
  type CreateAccountDeps,
  type CreateAccountInput,
  type NewIdentity,
  type NewRepo,
  createAccount,
} from './sign-up/create-account.ts'
export { toTakenError } from './sign-up/taken.ts'
export { type AppendStatusEvents, type StatusChange, changeAccountStatus } from './status/change-status.ts'
export { announceIdentity } from './status/announce-identity.ts'
export { type DeleteAccountDeps, deleteAccount } from './status/delete-account.ts'
export { scheduleErasure } from './status/schedule-erasure.ts'
export { listAccountsToDelete } from './status/status-queries.ts'
