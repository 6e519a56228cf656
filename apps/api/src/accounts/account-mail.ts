import type { Account } from '@rookery/accounts'
import type { Database, Queryable } from '@rookery/db'
import {
  type NoticeTemplate,
  type RequestMailDeps,
  type TokenTemplate,
  chooseLocale,
  requestNotice,
  requestTokenMail,
} from '@rookery/mail'
import type { Locale } from '@rookery/tenants'
import type { FastifyRequest } from 'fastify'

/** What mail to an account's owner is asked for with. */
export type AccountMailDeps = Pick<RequestMailDeps, 'directory'> & {
  db: Pick<Database, 'pool'>
  wakeWorkers: () => void
}

/** Returns the language of ours that a request prefers, or undefined. */
export function localeOf(request: FastifyRequest): Locale | undefined {
  return chooseLocale(request.headers['accept-language'])
}

/**
 * Mails the account a token.
 *
 * @throws {NoEmailAddressError} if it has no address.
 */
export async function mailToken(
  deps: AccountMailDeps,
  account: Account,
  template: TokenTemplate,
  locale: Locale | undefined,
): Promise<void> {
  await requestTokenMail({ tx: deps.db.pool, directory: deps.directory }, account, { template, locale })
  deps.wakeWorkers()
}

/** Returns what tells an account's owner, in the transaction of what happened. Wake the workers when it has committed. */
export function announcer(
  { directory }: Pick<AccountMailDeps, 'directory'>,
  template: NoticeTemplate,
  locale?: Locale,
): (tx: Queryable, account: Account) => Promise<void> {
  return (tx, account) => requestNotice({ tx, directory }, account, { template, locale })
}
