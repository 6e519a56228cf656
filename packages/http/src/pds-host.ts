/** The PDS hostname that a request came to: on the network, a complete server of its own. */
export type PdsHost = {
  readonly id: number
  /** Lower case, with the port when it is not the protocol's own. */
  readonly hostname: string
  /** Origin without a trailing slash. */
  readonly publicUrl: string
  /** `did:web:<hostname>`. */
  readonly serviceDid: string
  readonly status: 'active' | 'suspended'
}

/** Finds hosts; the tenants package implements it on Postgres with a cache. */
export type HostResolver = {
  /** Returns the host with this name, or undefined; at once if it knows. */
  findHost(hostname: string): Promise<PdsHost | undefined> | PdsHost | undefined
  /** Returns the host that serves handles under the domain of this name, or undefined. */
  findHostOfHandle(handle: string): Promise<PdsHost | undefined>
}

/**
 * Returns the host name that a Host header names: lower case, without a default port or trailing dot; undefined
 * if the header is none.
 */
export function normalizeHostname(header: string | undefined): string | undefined {
  if (header === undefined || !/^[a-z0-9.-]+(:\d{1,5})?$/i.test(header)) return undefined
  return header
    .toLowerCase()
    .replace(/:(80|443)$/, '')
    .replace(/\.(?=:|$)/, '')
}
