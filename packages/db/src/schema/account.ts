import type { ColumnType, Generated } from 'kysely'

import type { CreatedAt } from './tenancy.ts'

/** One DID with its login on one host. */
export type AccountTable = {
  id: Generated<number>
  host_id: number
  tenant_id: number
  did: string
  handle: string | null
  /** Lower case. */
  email: string | null
  email_confirmed_at: Date | null
  password_hash: string | null
  email_auth_factor: Generated<boolean>
  invites_disabled: Generated<boolean>
  invite_note: string | null
  created_at: CreatedAt
  deactivated_at: Date | null
  delete_after: Date | null
  suspended_at: Date | null
  takedown_ref: string | null
  /** How often access tokens of sessions with a password were ended. */
  session_epoch: Generated<number>
}

/** Names that a running sign-up holds until `expires_at`. */
export type AccountClaimTable = {
  host_id: number
  did: string
  handle: string
  email: string | null
  invite_code: string | null
  expires_at: Date
}

/** What remains of a deleted account. */
export type AccountTombstoneTable = {
  host_id: number
  did: string
  rev: string
  deleted_at: CreatedAt
}

/** The account's current signing key, wrapped. */
export type SigningKeyTable = {
  account_id: number
  did_key: string
  wrapped: Buffer
  /** How many keys the account had before it. */
  version: Generated<number>
  /** The key that is to follow, once the DID document names it. */
  next_did_key: string | null
  next_wrapped: Buffer | null
  created_at: CreatedAt
}

/** A signing key made for an account that is still to come. */
export type ReservedSigningKeyTable = {
  host_id: number
  did_key: string
  did: string | null
  wrapped: Buffer
  created_at: CreatedAt
}

/** A password that an account made for an app. */
export type AppPasswordTable = {
  account_id: number
  name: string
  password_hash: Buffer
  privileged: boolean
  created_at: CreatedAt
}

/** An account's authenticator app; no factor before `confirmed_at`. */
export type TotpTable = {
  account_id: number
  wrapped: Buffer
  last_step: Generated<number>
  failures: Generated<number>
  refused_until: Date | null
  created_at: CreatedAt
  confirmed_at: Date | null
}

/** A code that stands in once for any other second factor. */
export type RecoveryCodeTable = {
  account_id: number
  code_hash: Buffer
  created_at: CreatedAt
}

/** A key on an account's device that signs in by itself. */
export type PasskeyTable = {
  account_id: number
  credential_id: string
  host_id: number
  public_key: Buffer
  counter: number
  transports: string[]
  name: string
  created_at: CreatedAt
  last_used_at: Date | null
}

/** A challenge that a passkey answered: none is good twice. */
export type PasskeyChallengeTable = {
  host_id: number
  challenge_hash: Buffer
  expires_at: Date
}

/** A browser that the account signed in with. */
export type KnownDeviceTable = {
  account_id: number
  device_id: string
  first_seen_at: CreatedAt
  last_seen_at: ColumnType<Date, Date | undefined, Date>
  trusted_until: Date | null
  /** When it was trusted last; null for those from before this was noted. */
  trusted_at: Date | null
}

/** One thing that an account prefers in apps. */
export type PreferenceTable = {
  account_id: number
  position: number
  full_access_only: boolean
  value: unknown
}

/** One refresh token; `next_id` is its successor once it was rotated. */
export type RefreshTokenTable = {
  account_id: number
  id: string
  next_id: string | null
  app_password_name: string | null
  created_at: CreatedAt
  expires_at: Date
}

/** What a mailed token is for. */
export type EmailTokenPurpose =
  | 'confirm_email'
  | 'update_email'
  | 'reset_password'
  | 'delete_account'
  | 'plc_operation'
  | 'sign_in'

/** The one live token of an account and purpose. */
export type EmailTokenTable = {
  account_id: number
  purpose: EmailTokenPurpose
  token_hash: Buffer
  failed_attempts: Generated<number>
  requested_at: ColumnType<Date, Date | undefined, Date>
}

/** An invitation to a tenant's accounts on a host. */
export type InviteCodeTable = {
  host_id: number
  code: string
  tenant_id: number
  available_uses: number
  disabled: Generated<boolean>
  for_account: string
  created_by: string
  created_at: CreatedAt
}

/** One use of an invitation. */
export type InviteCodeUseTable = {
  host_id: number
  code: string
  used_by: string
  used_at: CreatedAt
}
