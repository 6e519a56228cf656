import type { Queryable } from '@rookery/db'

import { InvalidInviteCodeError } from '../errors.ts'

type InviteKey = { hostId: number; tenantId: number; code: string }

/** An invite code as it is stored. */
export type NewInviteCode = {
  hostId: number
  tenantId: number
  code: string
  uses: number
  /** DID that it is for, or `admin`. */
  forAccount: string
  /** DID of who made it, or `admin`. */
  createdBy: string
}

/** Stores invite codes. */
export async function insertInviteCodes(tx: Queryable, codes: readonly NewInviteCode[]): Promise<void> {
  await tx.query(
    `insert into invite_code (host_id, tenant_id, code, available_uses, for_account, created_by)
     select * from unnest($1::integer[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::text[])`,
    [
      codes.map(({ hostId }) => hostId),
      codes.map(({ tenantId }) => tenantId),
      codes.map(({ code }) => code),
      codes.map(({ uses }) => uses),
      codes.map(({ forAccount }) => forAccount),
      codes.map(({ createdBy }) => createdBy),
    ],
  )
}

/**
 * Returns if the code has a use left that no other running sign-up holds, and locks the code until the transaction
 * ends, so that the claim the caller makes is counted by the next.
 *
 * @throws {InvalidInviteCodeError} if it has none, is disabled, or is from a taken-down account or another tenant.
 */
export async function reserveInviteUse(tx: Queryable, invite: InviteKey): Promise<void> {
  const { rows } = await tx.query<{ available_uses: number }>(
    `select available_uses from invite_code i
      where host_id = $1 and code = $2 and tenant_id = $3 and not disabled
        and not exists (select from account a
                         where a.host_id = i.host_id and a.did = i.for_account and a.takedown_ref is not null)
      for update`,
    [invite.hostId, invite.code, invite.tenantId],
  )
  const claims = await tx.query<{ held: number }>(
    `select count(*) as held from account_claim where host_id = $1 and invite_code = $2 and expires_at > now()`,
    [invite.hostId, invite.code],
  )
  if ((rows[0]?.available_uses ?? 0) <= (claims.rows[0]?.held ?? 0)) {
    throw new InvalidInviteCodeError('Provided invite code not available')
  }
}

/**
 * Uses the code once.
 *
 * @throws {InvalidInviteCodeError} if it has no use left or was disabled since.
 */
export async function consumeInviteUse(tx: Queryable, invite: InviteKey & { usedBy: string }): Promise<void> {
  const { rowCount } = await tx.query(
    `update invite_code set available_uses = available_uses - 1
      where host_id = $1 and code = $2 and tenant_id = $3 and not disabled and available_uses > 0`,
    [invite.hostId, invite.code, invite.tenantId],
  )
  if (rowCount !== 1) throw new InvalidInviteCodeError('Provided invite code not available')
  await tx.query('insert into invite_code_use (host_id, code, used_by) values ($1, $2, $3)', [
    invite.hostId,
    invite.code,
    invite.usedBy,
  ])
}
