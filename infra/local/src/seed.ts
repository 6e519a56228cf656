import { Database, migrate } from '@rookery/db'
import { createLogger } from '@rookery/telemetry'
import {
  type TenantSettingsInput,
  createHost,
  createTenant,
  listHosts,
  listTenants,
  setHandleDomains,
  updateTenant,
} from '@rookery/tenants'

import type { StartOptions } from './flags.ts'
import type { StackFile } from './stack-file.ts'

/** Applies migrations and makes the two hosts with their tenants; what is already there is only brought up to date. */
export async function seed(databaseUrl: string, options: StartOptions): Promise<StackFile['hosts']> {
  await using database = new Database(createLogger('local', 'warn'), {
    url: databaseUrl,
    poolMax: 2,
    applicationName: 'rookery-local',
  })
  await migrate(database.pool)
  const { handleDomains, ...settings } = options.tenant
  const hosts = [
    {
      port: options.port,
      tenant: 'demo',
      name: 'Demo',
      domains: handleDomains,
      settings,
    },
    { port: options.port + 1, tenant: 'second', name: 'Second', domains: ['.second.test'], settings: {} },
  ]
  for (const host of hosts) await seedHost(database, host)
  return hosts.map(({ port, tenant }) => ({
    hostname: `localhost:${port}`,
    url: `http://localhost:${port}`,
    tenant,
  }))
}

async function seedHost(
  { kysely }: Database,
  host: { port: number; tenant: string; name: string; domains: string[]; settings: TenantSettingsInput },
): Promise<void> {
  const { tenant, name, settings, domains } = host
  const hostname = `localhost:${host.port}`
  const isKnown = (await listTenants(kysely)).some(({ slug }) => slug === tenant)
  if (isKnown) await updateTenant(kysely, tenant, { settings })
  else await createTenant(kysely, { slug: tenant, name, settings })
  const hasHost = (await listHosts(kysely)).some((known) => known.hostname === hostname)
  if (!hasHost) await createHost(kysely, { hostname, tenant })
  await setHandleDomains(kysely, { hostname, tenant, domains })
}
