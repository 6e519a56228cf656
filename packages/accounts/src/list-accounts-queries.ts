import type { AccountStatus, Queryable } from '@rookery/db'

import { columns } from './account-queries.ts'
import type { Account } from './account.ts'
import { listAccountsMax } from './limits.ts'

/** Which accounts to list. */
export type AccountFilter = {
  hostId?: number | undefined
  tenantIds?: readonly number[] | undefined
  status?: AccountStatus | undefined
  /** Only accounts whose e-mail address begins like this, in lower case. */
  emailPrefix?: string | undefined
  /** Only accounts above this id: the last of the page before. */
  afterId?: number | undefined
  /** Default and at most `listAccountsMax`. */
  limit?: number | undefined
}

/** Returns accounts at random, of the host if one is given. Reads all their ids. */
export async function sampleAccounts(
  db: Queryable,
  of: { hostId: number | undefined; limit: number },
): Promise<Account[]> {
  const { rows } = await db.query<Account>(
    `select ${columns} from account where id in (
       select id from account where $1::integer is null or host_id = $1 order by random() limit $2)
     order by id`,
    [of.hostId ?? null, of.limit],
  )
  return rows
}

/** Returns accounts by id, for an operator. */
export async function listAccounts(db: Queryable, filter: AccountFilter): Promise<Account[]> {
  const { rows } = await db.query<Account>(
    `select * from (select ${columns} from account) account
     where ($1::integer is null or host_id = $1) and ($2::integer[] is null or tenant_id = any($2))
       and ($3::text is null or status = $3) and ($4::bigint is null or id > $4)
       and ($6::text is null or starts_with(email, $6))
     order by id limit $5`,
    [
      filter.hostId ?? null,
      filter.tenantIds ?? null,
      filter.status ?? null,
      filter.afterId ?? null,
      Math.min(filter.limit ?? listAccountsMax, listAccountsMax),
      filter.emailPrefix ?? null,
    ],
  )
  return rows
}
