import type { InviteCode } from '@rookery/accounts'

/** An invite code as `com.atproto.server.defs#inviteCode` has it. */
export type InviteView = {
  code: string
  available: number
  disabled: boolean
  forAccount: string
  createdBy: string
  createdAt: string
  uses: { usedBy: string; usedAt: string }[]
}

/** Returns an invite code as methods answer it. */
export function inviteView(invite: InviteCode): InviteView {
  const { code, available, disabled } = invite
  return {
    code,
    available,
    disabled,
    forAccount: invite.for_account,
    createdBy: invite.created_by,
    createdAt: invite.created_at.toISOString(),
    uses: invite.uses.map(({ used_by, used_at }) => ({ usedBy: used_by, usedAt: used_at.toISOString() })),
  }
}
