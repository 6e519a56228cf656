import type {
  AccountClaimTable,
  AccountTable,
  AccountTombstoneTable,
  AppPasswordTable,
  EmailTokenTable,
  InviteCodeTable,
  InviteCodeUseTable,
  KnownDeviceTable,
  PasskeyChallengeTable,
  PasskeyTable,
  PreferenceTable,
  RecoveryCodeTable,
  RefreshTokenTable,
  ReservedSigningKeyTable,
  SigningKeyTable,
  TotpTable,
} from './account.ts'
import type { AuditEntryTable, SignInFailureTable } from './audit.ts'
import type { AccountUsageTable, BlobRefTable, BlobTable, TenantUsageTable } from './blob.ts'
import type { AccountExportTable } from './export.ts'
import type { EventDroppedTable, EventLogTable, EventQueueTable, EventSequencerTable } from './event.ts'
import type { JobOutboxTable, JobScheduleTable } from './job.ts'
import type { MailDeliveryTable, MailSuppressionTable } from './mail.ts'
import type { AccountMoveTable } from './move.ts'
import type { LexiconTable } from './lexicon.ts'
import type {
  OAuthDeviceAccountTable,
  OAuthDeviceTable,
  OAuthGrantTable,
  OAuthRequestTable,
  OAuthTokenTable,
  OAuthSpentCodeTable,
  OAuthUsedRefreshTokenTable,
} from './oauth.ts'
import type { PackTable, RecordTable, RepoTable } from './repo.ts'
import type { HandleDomainTable, HostTable, TenantTable } from './tenancy.ts'

/** Every table, by name. */
export type Schema = {
  tenant: TenantTable
  host: HostTable
  handle_domain: HandleDomainTable
  account: AccountTable
  account_claim: AccountClaimTable
  account_tombstone: AccountTombstoneTable
  signing_key: SigningKeyTable
  reserved_signing_key: ReservedSigningKeyTable
  refresh_token: RefreshTokenTable
  app_password: AppPasswordTable
  totp: TotpTable
  recovery_code: RecoveryCodeTable
  passkey: PasskeyTable
  passkey_challenge: PasskeyChallengeTable
  known_device: KnownDeviceTable
  preference: PreferenceTable
  email_token: EmailTokenTable
  invite_code: InviteCodeTable
  invite_code_use: InviteCodeUseTable
  audit_entry: AuditEntryTable
  sign_in_failure: SignInFailureTable
  repo: RepoTable
  record: RecordTable
  pack: PackTable
  blob: BlobTable
  blob_ref: BlobRefTable
  account_usage: AccountUsageTable
  tenant_usage: TenantUsageTable
  account_export: AccountExportTable
  account_move: AccountMoveTable
  event_queue: EventQueueTable
  event_log: EventLogTable
  event_sequencer: EventSequencerTable
  event_dropped: EventDroppedTable
  oauth_device: OAuthDeviceTable
  oauth_device_account: OAuthDeviceAccountTable
  oauth_request: OAuthRequestTable
  oauth_grant: OAuthGrantTable
  oauth_token: OAuthTokenTable
  oauth_spent_code: OAuthSpentCodeTable
  oauth_used_refresh_token: OAuthUsedRefreshTokenTable
  job_outbox: JobOutboxTable
  job_schedule: JobScheduleTable
  mail_delivery: MailDeliveryTable
  mail_suppression: MailSuppressionTable
  lexicon: LexiconTable
}
