import type { AccountStatus } from '@rookery/db'

/** One DID with its login on one host. `status` follows the precedence takendown > suspended > deactivated > active. */
export type Account = {
  id: number
  host_id: number
  tenant_id: number
  did: string
  /** Null while nobody may use it: another account took it over. */
  handle: string | null
  /** Lower case. */
  email: string | null
  email_confirmed_at: Date | null
  /** Whether a code that is mailed is asked for besides the password. */
  email_auth_factor: boolean
  invites_disabled: boolean
  /** Why the operator stopped or allowed its invitations, if a reason was given. */
  invite_note: string | null
  created_at: Date
  deactivated_at: Date | null
  delete_after: Date | null
  suspended_at: Date | null
  takedown_ref: string | null
  /** How often access tokens of its sessions with a password were ended: those say which time it was. */
  session_epoch: number
  status: AccountStatus
}

/** An account with its password hash: for logins only. */
export type AccountWithPassword = Account & { password_hash: string | null }

/** Whose an account is: what keeps one host's accounts from the other's callers. */
export type AccountRef = { hostId: number; did: string }

/** How hosting status is told to clients: `status` is absent while active. */
export function activeAndStatus(status: AccountStatus): {
  active: boolean
  status?: Exclude<AccountStatus, 'active'>
} {
  return status === 'active' ? { active: true } : { active: false, status }
}
