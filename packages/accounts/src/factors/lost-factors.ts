import { type Database, type Queryable, inTransaction } from '@rookery/db'

import { lockAccount } from '../account-queries.ts'
import type { Account } from '../account.ts'
import { distrustDevices } from '../devices/known-device-queries.ts'
import { AccountNotFoundError } from '../errors.ts'
import { deletePasskey, listPasskeys } from '../passkeys/passkey-queries.ts'
import { countRecoveryCodes, deleteRecoveryCodes, deleteTotp, updateEmailFactor } from './factor-queries.ts'
import { listFactorKinds } from './second-factor.ts'

/** Something that an account's owner signs in with besides the password. */
export type HeldFactor = {
  /** `authenticator`, `email-codes`, `recovery-codes`, or `passkey:` and its id. */
  factor: string
  /** Name of a passkey, or how many recovery codes are left. */
  detail: string
}

/** Returns what the account's owner signs in with besides the password. */
export async function listHeldFactors(db: Queryable, account: Account): Promise<HeldFactor[]> {
  const kinds = await listFactorKinds(db, account)
  const codes = await countRecoveryCodes(db, account.id)
  const passkeys = await listPasskeys(db, account.id)
  return [
    ...(kinds.includes('totp') ? [{ factor: 'authenticator', detail: '' }] : []),
    ...(kinds.includes('email') ? [{ factor: 'email-codes', detail: '' }] : []),
    ...(codes > 0 ? [{ factor: 'recovery-codes', detail: `${codes} left` }] : []),
    ...passkeys.map(({ credentialId, name }) => ({ factor: `passkey:${credentialId}`, detail: name })),
  ]
}

/**
 * Takes factors away that the account's owner has lost, by the word of an operator, and trusts no browser any more. The
 * owner is told. Those that are not there are passed over.
 *
 * @param factors as `listHeldFactors` names them.
 * @returns those that were there.
 * @throws {AccountNotFoundError} if the account is gone.
 */
export async function removeHeldFactors(
  deps: { db: Pick<Database, 'pool'>; announce: (tx: Queryable, account: Account) => Promise<void> },
  accountId: number,
  factors: readonly string[],
): Promise<HeldFactor[]> {
  return inTransaction(deps.db.pool, async (tx) => {
    const account = await lockAccount(tx, accountId)
    if (account === undefined) throw new AccountNotFoundError('Account not found')
    const gone = (await listHeldFactors(tx, account)).filter(({ factor }) => factors.includes(factor))
    for (const { factor } of gone) await remove(tx, accountId, factor)
    if (gone.length === 0) return gone
    await distrustDevices(tx, accountId)
    await deps.announce(tx, account)
    return gone
  })
}

async function remove(tx: Queryable, accountId: number, factor: string): Promise<void> {
  if (factor === 'authenticator') await deleteTotp(tx, accountId)
  else if (factor === 'email-codes') await updateEmailFactor(tx, accountId, false)
  else if (factor === 'recovery-codes') await deleteRecoveryCodes(tx, accountId)
  else await deletePasskey(tx, accountId, factor.slice('passkey:'.length))
}
