import type { Queryable } from '@rookery/db'

/** Accounts by the tenant and the host that they belong to. */
export type AccountFigures = { tenant: Map<string, number>; host: Map<string, number> }

/** Returns how many accounts each tenant (by slug) and each host (by hostname) has. Reads an index whole. */
export async function readAccountFigures(db: Queryable): Promise<AccountFigures> {
  const tenants = await db.query<{ name: string; accounts: number }>(
    `select t.slug as name, count(a.id) as accounts
     from tenant t left join account a on a.tenant_id = t.id group by t.id`,
  )
  const hosts = await db.query<{ name: string; accounts: number }>(
    `select h.hostname as name, count(a.id) as accounts
     from host h left join account a on a.host_id = h.id group by h.id`,
  )
  const byName = ({ rows }: typeof tenants) => new Map(rows.map(({ name, accounts }) => [name, accounts]))
  return { tenant: byName(tenants), host: byName(hosts) }
}
