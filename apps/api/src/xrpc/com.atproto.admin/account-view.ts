import type { Account } from '@rookery/accounts'
import { invalidHandle } from '@rookery/syntax'

/** An account as `com.atproto.admin.defs#accountView` has it. */
export type AccountView = {
  did: string
  handle: string
  email?: string
  indexedAt: string
  invitesDisabled: boolean
  emailConfirmedAt?: string
  deactivatedAt?: string
}

/** Returns an account as the operator sees it. */
export function accountView(account: Account): AccountView {
  const { did, handle, email, created_at, invites_disabled, email_confirmed_at, deactivated_at } = account
  return {
    did,
    handle: handle ?? invalidHandle,
    ...(email === null ? {} : { email }),
    indexedAt: created_at.toISOString(),
    invitesDisabled: invites_disabled,
    ...(email_confirmed_at === null ? {} : { emailConfirmedAt: email_confirmed_at.toISOString() }),
    ...(deactivated_at === null ? {} : { deactivatedAt: deactivated_at.toISOString() }),
  }
}
