import type { Db } from '@rookery/db'

import { addHandleDomain, getHost, getTenant } from './tenancy.ts'

/**
 * Makes the given domains the only ones of a tenant on a host; whoever else has one of them loses it. Handles that
 * accounts already have are not touched.
 *
 * @throws {InvalidTenancyError} if a domain is malformed.
 * @throws {TenancyNotFoundError} if there is no such host or tenant.
 */
export async function setHandleDomains(
  db: Db,
  input: { hostname: string; tenant: string; domains: readonly string[] },
): Promise<void> {
  const { hostname, tenant, domains } = input
  const [host, { id: tenantId }] = [await getHost(db, hostname), await getTenant(db, tenant)]
  await db
    .deleteFrom('handle_domain')
    .where((row) =>
      row.or([
        row.and([row('host_id', '=', host.id), row('tenant_id', '=', tenantId)]),
        ...(domains.length > 0 ? [row('domain', 'in', [...domains])] : []),
      ]),
    )
    .execute()
  for (const domain of domains) await addHandleDomain(db, { domain, hostname, tenant })
}
