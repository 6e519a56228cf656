import { type Queryable, statement } from '@rookery/db'

import { signUpClaimMs } from '../limits.ts'

/** The names that a sign-up wants. */
export type Claim = {
  hostId: number
  did: string
  handle: string
  email: string | null
  inviteCode: string | null
}

const insert = statement(
  'account_claim_insert',
  `insert into account_claim (host_id, did, handle, email, invite_code, expires_at)
   values ($1, $2, $3, $4, $5, now() + $6::integer * interval '1 millisecond') on conflict do nothing`,
)

/** Takes the names unless another running sign-up holds one of them; tells whether it did. */
export async function insertClaim(tx: Queryable, claim: Claim): Promise<boolean> {
  const { hostId, did, handle, email, inviteCode } = claim
  const values = [hostId, did, handle, email, inviteCode, signUpClaimMs]
  if ((await insert(tx, values)).rowCount === 1) return true
  // Perhaps what holds them is void.
  await tx.query(
    `delete from account_claim
      where host_id = $1 and expires_at <= now() and (did = $2 or handle = $3 or email = $4)`,
    [hostId, did, handle, email],
  )
  return (await insert(tx, values)).rowCount === 1
}

/** Returns which of the names running sign-ups hold. */
export async function findClaimed(tx: Queryable, claim: Claim): Promise<{ handle: boolean; email: boolean }> {
  const { rows } = await tx.query<{ handle: boolean; email: boolean }>(
    `select coalesce(bool_or(handle = $2), false) as handle, coalesce(bool_or(email = $3), false) as email
       from account_claim where host_id = $1 and (handle = $2 or email = $3)`,
    [claim.hostId, claim.handle, claim.email],
  )
  return rows[0] ?? { handle: false, email: false }
}

/** Gives the names up; tells whether the claim was still there. */
export async function deleteClaim(tx: Queryable, claim: Pick<Claim, 'hostId' | 'did'>): Promise<boolean> {
  const { rowCount } = await tx.query('delete from account_claim where host_id = $1 and did = $2', [
    claim.hostId,
    claim.did,
  ])
  return rowCount === 1
}
