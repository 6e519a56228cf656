import type { RateOverrides } from '@rookery/config'
import type { Db } from '@rookery/db'
import { Loop } from '@rookery/std'
import type { Logger } from '@rookery/telemetry'

import { TenancyNotFoundError, TenantSuspendedError } from './errors.ts'
import {
  type HandleDomain,
  type Host,
  type Tenant,
  listHandleDomains,
  listHosts,
  listTenants,
} from './tenancy.ts'

/** How old the directory's picture may be, in milliseconds: the time in which a change reaches every pod. */
export const directoryRefreshMs = 2_000

type Picture = {
  hosts: Map<string, Host>
  hostsById: Map<number, Host>
  tenants: Map<number, Tenant>
  /** By domain, with its leading dot. */
  domains: Map<string, HandleDomain>
}

/**
 * All hosts, tenants and handle domains, held in memory and read anew every two seconds. A process that cannot
 * reach Postgres keeps the last picture. A name it does not know makes it look again, at most every 200 ms, so a
 * new host is served at once.
 */
export class HostDirectory implements AsyncDisposable {
  readonly #db: Db
  readonly #loop: Loop
  #picture: Picture = { hosts: new Map(), hostsById: new Map(), tenants: new Map(), domains: new Map() }
  #reading: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #readAtMs = -Infinity

  constructor(log: Logger, db: Db) {
    this.#db = db
    this.#loop = new Loop({
      step: async () => {
        await this.refresh()
        return directoryRefreshMs
      },
      onError: (error) =>
        log.warn({ err: error }, 'hosts and tenants could not be read; the last picture stays'),
    })
  }

  /** Returns the host with this name, or undefined; at once if it is known. */
  findHost(hostname: string): Promise<Host | undefined> | Host {
    return this.#picture.hosts.get(hostname) ?? this.#again().then(({ hosts }) => hosts.get(hostname))
  }

  /** Returns a host by id, or undefined. */
  async findHostById(id: number): Promise<Host | undefined> {
    return this.#picture.hostsById.get(id) ?? (await this.#again()).hostsById.get(id)
  }

  /** Returns every host. */
  async listHosts(): Promise<Host[]> {
    if (this.#picture.hosts.size === 0) await this.#again()
    return [...this.#picture.hosts.values()]
  }

  /** Returns a tenant by id, or undefined. */
  async findTenant(id: number): Promise<Tenant | undefined> {
    return this.#picture.tenants.get(id) ?? (await this.#again()).tenants.get(id)
  }

  /** Returns every tenant. */
  async listTenants(): Promise<Tenant[]> {
    if (this.#picture.tenants.size === 0) await this.#again()
    return [...this.#picture.tenants.values()]
  }

  /**
   * Returns the tenant if its accounts may sign up, sign in and act. While it is suspended their data stays, is
   * served, and stays on the firehose.
   *
   * @throws {TenantSuspendedError} if the provider has suspended it.
   * @throws {TenancyNotFoundError} if there is none.
   */
  async getActiveTenant(id: number): Promise<Tenant> {
    const tenant = await this.findTenant(id)
    if (tenant === undefined) throw new TenancyNotFoundError(`there is no tenant ${id}`)
    if (tenant.status === 'suspended') throw new TenantSuspendedError(`${tenant.name} is suspended`)
    return tenant
  }

  /** Returns the host that serves handles under the domain of this name, or undefined. */
  async findHostOfHandle(handle: string): Promise<Host | undefined> {
    const domain = this.#domainOf(handle)
    return domain === undefined ? undefined : this.findHostById(domain.hostId)
  }

  /** Returns the handle domain (of any host) that the handle lies under, or undefined for a custom handle. */
  findHandleDomain(handle: string): HandleDomain | undefined {
    return this.#domainOf(handle)
  }

  /** Returns the handle domains of a host, by domain. */
  listHandleDomains(hostId: number): HandleDomain[] {
    return [...this.#picture.domains.values()].filter((domain) => domain.hostId === hostId)
  }

  /** Returns the rate limits of a tenant and of a host that differ from the cluster's, as far as they are known. */
  rateOverrides(hostId: number, tenantId: number | undefined): (RateOverrides | undefined)[] {
    const { tenants, hostsById } = this.#picture
    const tenant = tenantId === undefined ? undefined : tenants.get(tenantId)
    return [tenant?.settings.rateLimits, hostsById.get(hostId)?.rateLimits]
  }

  /** Reads everything anew, beginning after the call; callers at the same time share one reading. */
  refresh(): Promise<void> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined
      const reading = this.#read()
      this.#reading = reading.catch(() => undefined)
      return reading
    })
    return this.#next
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]()
  }

  /** The longest domain wins: `.a.example.com` may be another tenant's than `.example.com`. */
  #domainOf(handle: string): HandleDomain | undefined {
    for (let dot = handle.indexOf('.'); dot !== -1; dot = handle.indexOf('.', dot + 1)) {
      const domain = this.#picture.domains.get(handle.slice(dot))
      if (domain !== undefined) return domain
    }
    return undefined
  }

  async #again(): Promise<Picture> {
    if (performance.now() - this.#readAtMs > 200) await this.refresh()
    return this.#picture
  }

  async #read(): Promise<void> {
    const [hosts, tenants, domains] = [
      await listHosts(this.#db),
      await listTenants(this.#db),
      await listHandleDomains(this.#db),
    ]
    this.#readAtMs = performance.now()
    this.#picture = {
      hosts: new Map(hosts.map((host) => [host.hostname, host])),
      hostsById: new Map(hosts.map((host) => [host.id, host])),
      tenants: new Map(tenants.map((tenant) => [tenant.id, tenant])),
      domains: new Map(domains.map((domain) => [domain.domain, domain])),
    }
  }
}
