import { type Account, findInvitesOf, listInviteCodesFor } from '@rookery/accounts'
import { invalidHandle } from '@rookery/syntax'

import { type InviteView, inviteView } from '../../accounts/invite-view.ts'
import type { AdminDeps } from './admin-deps.ts'

/** An account as `com.atproto.admin.defs#accountView` has it. */
export type AccountView = {
  did: string
  handle: string
  email?: string
  indexedAt: string
  /** The code that it signed up with. */
  invitedBy?: InviteView
  /** The codes that are for it. */
  invites: InviteView[]
  invitesDisabled: boolean
  inviteNote?: string
  emailConfirmedAt?: string
  deactivatedAt?: string
}

/** Returns accounts of the host as the operator sees them. */
export async function accountViews(
  { db }: Pick<AdminDeps, 'db'>,
  hostId: number,
  accounts: readonly Account[],
): Promise<AccountView[]> {
  const dids = accounts.map(({ did }) => did)
  const invites = Map.groupBy(await listInviteCodesFor(db.pool, hostId, dids), (code) => code.for_account)
  const invitedBy = await findInvitesOf(db.pool, hostId, dids)
  return accounts.map((account) => {
    const code = invitedBy.get(account.did)
    return {
      ...ownView(account),
      ...(code && { invitedBy: inviteView(code) }),
      invites: (invites.get(account.did) ?? []).map(inviteView),
    }
  })
}

function ownView(account: Account): Omit<AccountView, 'invites' | 'invitedBy'> {
  const { did, handle, email, created_at, invites_disabled, invite_note } = account
  const { email_confirmed_at, deactivated_at } = account
  return {
    did,
    handle: handle ?? invalidHandle,
    ...(email === null ? {} : { email }),
    indexedAt: created_at.toISOString(),
    invitesDisabled: invites_disabled,
    ...(invite_note === null ? {} : { inviteNote: invite_note }),
    ...(email_confirmed_at === null ? {} : { emailConfirmedAt: email_confirmed_at.toISOString() }),
    ...(deactivated_at === null ? {} : { deactivatedAt: deactivated_at.toISOString() }),
  }
}
