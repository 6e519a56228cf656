import { type RateOverrides, rateOverrides } from '@rookery/config'
import type { Db } from '@rookery/db'
import { z } from 'zod'

import { InvalidTenancyError, TenancyConflictError, TenancyNotFoundError } from './errors.ts'
import { type TenantSettings, type TenantSettingsInput, tenantSettings } from './settings.ts'

/** One customer of the provider. */
export type Tenant = {
  id: number
  slug: string
  name: string
  status: 'active' | 'suspended'
  settings: TenantSettings
}

/** One PDS hostname. */
export type Host = {
  id: number
  /** Lower case, with the port when it is not the protocol's own. */
  hostname: string
  publicUrl: string
  serviceDid: string
  status: 'active' | 'suspended'
  kind: 'shared' | 'dedicated'
  /** The tenant whose name and links the host shows, and to whom accounts without a handle domain belong. */
  defaultTenantId: number
  /** Rate limits that differ from the cluster's. */
  rateLimits: RateOverrides
}

/** A domain (`.example.com`) under which a tenant's accounts on a host have their handles. */
export type HandleDomain = { domain: string; hostId: number; tenantId: number }

const uniqueViolation = '23505'

/**
 * Creates a tenant.
 *
 * @throws {InvalidTenancyError} if the slug or a setting is malformed.
 * @throws {TenancyConflictError} if the slug is taken.
 */
export async function createTenant(
  db: Db,
  input: { slug: string; name: string; settings?: TenantSettingsInput },
): Promise<Tenant> {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(input.slug)) {
    throw new InvalidTenancyError(
      `a tenant's slug is lower-case letters, digits and hyphens, not ${JSON.stringify(input.slug)}`,
    )
  }
  const settings = parseSettings(input.settings ?? {})
  const row = await refusingDuplicates(`tenant ${input.slug} already exists`, () =>
    db
      .insertInto('tenant')
      .values({ slug: input.slug, name: input.name, settings: JSON.stringify(settings) })
      .returningAll()
      .executeTakeFirstOrThrow(),
  )
  return toTenant(row)
}

/**
 * Changes a tenant's name, status or settings; settings that are not given stay.
 *
 * @throws {TenancyNotFoundError} if there is no such tenant.
 * @throws {InvalidTenancyError} if a setting is malformed.
 */
export async function updateTenant(
  db: Db,
  slug: string,
  change: { name?: string; status?: Tenant['status']; settings?: TenantSettingsInput },
): Promise<Tenant> {
  return db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('tenant')
      .selectAll()
      .where('slug', '=', slug)
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined) throw new TenancyNotFoundError(`there is no tenant ${slug}`)
    const current = toTenant(row)
    const settings = parseSettings({ ...current.settings, ...change.settings })
    await tx
      .updateTable('tenant')
      .set({
        name: change.name ?? current.name,
        status: change.status ?? current.status,
        settings: JSON.stringify(settings),
      })
      .where('id', '=', current.id)
      .execute()
    return {
      ...current,
      name: change.name ?? current.name,
      status: change.status ?? current.status,
      settings,
    }
  })
}

/**
 * Returns a tenant by slug.
 *
 * @throws {TenancyNotFoundError} if there is none.
 */
export async function getTenant(db: Db, slug: string): Promise<Tenant> {
  const row = await db.selectFrom('tenant').selectAll().where('slug', '=', slug).executeTakeFirst()
  if (row === undefined) throw new TenancyNotFoundError(`there is no tenant ${slug}`)
  return toTenant(row)
}

/** Returns every tenant by slug; a cluster has few enough to hold in memory. */
export async function listTenants(db: Db): Promise<Tenant[]> {
  const rows = await db.selectFrom('tenant').selectAll().orderBy('slug').execute()
  return rows.map(toTenant)
}

/**
 * Creates a host whose service DID is the did:web of its name.
 *
 * @throws {InvalidTenancyError} if the hostname or URL is malformed, or they do not fit together.
 * @throws {TenancyNotFoundError} if there is no such tenant.
 * @throws {TenancyConflictError} if the hostname is taken.
 */
export async function createHost(
  db: Db,
  input: { hostname: string; tenant: string; publicUrl?: string; kind?: Host['kind'] },
): Promise<Host> {
  const hostname = input.hostname.toLowerCase()
  const publicUrl =
    input.publicUrl ?? (/^localhost(:\d+)?$/.test(hostname) ? `http://${hostname}` : `https://${hostname}`)
  assertOrigin(publicUrl, hostname)
  const tenant = await getTenant(db, input.tenant)
  const row = await refusingDuplicates(`host ${hostname} already exists`, () =>
    db
      .insertInto('host')
      .values({
        hostname,
        public_url: publicUrl,
        service_did: `did:web:${encodeURIComponent(hostname)}`,
        kind: input.kind ?? 'shared',
        default_tenant_id: tenant.id,
      })
      .returningAll()
      .executeTakeFirstOrThrow(),
  )
  return toHost(row)
}

/**
 * Changes a host's status, kind, origin, default tenant or rate limits; what is not given stays. Pods follow within
 * seconds.
 *
 * @throws {TenancyNotFoundError} if there is no such host or tenant.
 * @throws {InvalidTenancyError} if the URL is not an origin of the hostname, or a rate limit is malformed.
 */
export async function updateHost(
  db: Db,
  hostname: string,
  change: {
    status?: Host['status']
    tenant?: string
    kind?: Host['kind']
    publicUrl?: string
    rateLimits?: RateOverrides
  },
): Promise<Host> {
  const current = await getHost(db, hostname)
  const { status = current.status, kind = current.kind, publicUrl = current.publicUrl } = change
  assertOrigin(publicUrl, current.hostname)
  const defaultTenantId =
    change.tenant === undefined ? current.defaultTenantId : (await getTenant(db, change.tenant)).id
  const row = await db
    .updateTable('host')
    .set({
      status,
      kind,
      public_url: publicUrl,
      default_tenant_id: defaultTenantId,
      rate_limits: JSON.stringify(parseRateLimits(change.rateLimits ?? current.rateLimits)),
    })
    .where('id', '=', current.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  return toHost(row)
}

/**
 * Returns a host by name.
 *
 * @throws {TenancyNotFoundError} if there is none.
 */
export async function getHost(db: Db, hostname: string): Promise<Host> {
  const row = await db
    .selectFrom('host')
    .selectAll()
    .where('hostname', '=', hostname.toLowerCase())
    .executeTakeFirst()
  if (row === undefined) throw new TenancyNotFoundError(`there is no host ${hostname}`)
  return toHost(row)
}

/** Returns every host by name; a cluster has few enough to hold in memory. */
export async function listHosts(db: Db): Promise<Host[]> {
  const rows = await db.selectFrom('host').selectAll().orderBy('hostname').execute()
  return rows.map(toHost)
}

/**
 * Gives a tenant a handle domain on a host; giving it again changes nothing.
 *
 * @throws {InvalidTenancyError} if the domain is malformed.
 * @throws {TenancyNotFoundError} if there is no such host or tenant.
 * @throws {TenancyConflictError} if the domain is another's, or lies above or below one of another tenant or host.
 */
export async function addHandleDomain(
  db: Db,
  input: { domain: string; hostname: string; tenant: string },
): Promise<HandleDomain> {
  const domain = input.domain.toLowerCase()
  if (!/^(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/.test(domain)) {
    throw new InvalidTenancyError(
      `a handle domain starts with a dot, such as .example.com, unlike ${JSON.stringify(input.domain)}`,
    )
  }
  const [host, tenant] = [await getHost(db, input.hostname), await getTenant(db, input.tenant)]
  return db.transaction().execute(async (tx) => {
    const existing = await tx
      .selectFrom('handle_domain')
      .selectAll()
      .where('domain', '=', domain)
      .forUpdate()
      .executeTakeFirst()
    const wanted = { domain, host_id: host.id, tenant_id: tenant.id }
    if (existing === undefined) {
      await refusingDuplicates(`handle domain ${domain} already exists`, () =>
        tx.insertInto('handle_domain').values(wanted).execute(),
      )
    } else if (existing.host_id !== host.id || existing.tenant_id !== tenant.id) {
      throw new TenancyConflictError(`handle domain ${domain} belongs to another tenant or host`)
    }
    return { domain, hostId: host.id, tenantId: tenant.id }
  })
}

/** Returns every handle domain, by domain. */
export async function listHandleDomains(db: Db): Promise<HandleDomain[]> {
  const rows = await db.selectFrom('handle_domain').selectAll().orderBy('domain').execute()
  return rows.map(({ domain, host_id, tenant_id }) => ({ domain, hostId: host_id, tenantId: tenant_id }))
}

function assertOrigin(publicUrl: string, hostname: string): void {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (url?.host !== hostname || url.origin !== publicUrl || !/^https?:$/.test(url.protocol)) {
    throw new InvalidTenancyError(`the URL ${publicUrl} is not the origin of the host ${hostname}`)
  }
}

function parseSettings(input: unknown): TenantSettings {
  const parsed = tenantSettings.safeParse(input)
  if (!parsed.success)
    throw new InvalidTenancyError(`the settings are not usable: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

function parseRateLimits(input: unknown): RateOverrides {
  const parsed = rateOverrides.safeParse(input)
  if (parsed.success) return parsed.data
  throw new InvalidTenancyError(`the rate limits are not usable: ${z.prettifyError(parsed.error)}`)
}

async function refusingDuplicates<T>(message: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === uniqueViolation) {
      throw new TenancyConflictError(message, { cause: error })
    }
    throw error
  }
}

function toTenant(row: {
  id: number
  slug: string
  name: string
  status: Tenant['status']
  settings: unknown
}): Tenant {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    status: row.status,
    settings: parseSettings(row.settings),
  }
}

function toHost(row: {
  id: number
  hostname: string
  public_url: string
  service_did: string
  status: Host['status']
  kind: Host['kind']
  default_tenant_id: number
  rate_limits: unknown
}): Host {
  return {
    id: row.id,
    hostname: row.hostname,
    publicUrl: row.public_url,
    serviceDid: row.service_did,
    status: row.status,
    kind: row.kind,
    defaultTenantId: row.default_tenant_id,
    rateLimits: parseRateLimits(row.rate_limits),
  }
}
