import type { ColumnType, Generated } from 'kysely'

/** A timestamp that the database fills in. */
export type CreatedAt = ColumnType<Date, Date | undefined, never>

/** One customer of the provider. */
export type TenantTable = {
  id: Generated<number>
  slug: string
  name: string
  status: Generated<'active' | 'suspended'>
  /** Validated by @rookery/tenants. */
  settings: ColumnType<unknown, string | undefined, string>
  /** What captchas are verified with, wrapped. */
  captcha_secret: Buffer | null
  created_at: CreatedAt
}

/** One PDS hostname. */
export type HostTable = {
  id: Generated<number>
  /** Lower case, with the port when it is not the protocol's own. */
  hostname: string
  public_url: string
  service_did: string
  status: Generated<'active' | 'suspended'>
  kind: Generated<'shared' | 'dedicated'>
  default_tenant_id: number
  /** Limits by bucket; validated by @rookery/tenants. */
  rate_limits: ColumnType<unknown, string | undefined, string>
  created_at: CreatedAt
}

/** A domain (`.example.com`) under which a tenant's accounts on a host have their handles. */
export type HandleDomainTable = {
  domain: string
  host_id: number
  tenant_id: number
  created_at: CreatedAt
}
