import type { Db } from '@rookery/db'
import { sql } from 'kysely'

import { TenancyConflictError, TenancyNotFoundError } from './errors.ts'

/** Returns how many accounts of the domain's host have their handle under it. */
export async function countAccountsUnderDomain(db: Db, domain: string): Promise<number> {
  const { count } = await db
    .selectFrom('handle_domain')
    .innerJoin('account', 'account.host_id', 'handle_domain.host_id')
    .where('handle_domain.domain', '=', domain.toLowerCase())
    .where(sql<boolean>`right(account.handle, length(handle_domain.domain)) = handle_domain.domain`)
    .select((row) => row.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/**
 * Takes a handle domain away: nobody can sign up under it any more, and its handles are no longer proved by the
 * host, so apps show them as invalid. The accounts themselves stay.
 *
 * @param options.evenIfUsed goes on although accounts have their handles under it.
 * @throws {TenancyNotFoundError} if there is no such domain.
 * @throws {TenancyConflictError} if accounts have their handles under it.
 */
export async function removeHandleDomain(
  db: Db,
  domain: string,
  options: { evenIfUsed?: boolean } = {},
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('handle_domain')
      .select('domain')
      .where('domain', '=', domain.toLowerCase())
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined) throw new TenancyNotFoundError(`there is no handle domain ${domain}`)
    const count = options.evenIfUsed === true ? 0 : await countAccountsUnderDomain(tx, row.domain)
    if (count > 0) throw new TenancyConflictError(`${count} account(s) have their handle under ${row.domain}`)
    await tx.deleteFrom('handle_domain').where('domain', '=', row.domain).execute()
  })
}
