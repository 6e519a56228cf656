import { findHostOfHandle } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { HostResolver } from '@rookery/http'
import { tryParseHandle } from '@rookery/syntax'
import type { HostDirectory } from '@rookery/tenants'

/**
 * Returns the directory as it finds hosts for requests, extended by custom handles: a user may point a domain of their
 * own at the cluster, which then proves their handle.
 */
export function hostsWithCustomHandles(deps: {
  db: Pick<Database, 'pool'>
  directory: HostDirectory
}): HostResolver {
  const { db, directory } = deps
  return {
    findHost: (hostname) => directory.findHost(hostname),
    findHostOfHandle: async (name) => {
      const host = await directory.findHostOfHandle(name)
      const handle = tryParseHandle(name)
      if (host !== undefined || handle === undefined) return host
      const hostId = await findHostOfHandle(
        db.pool,
        (await directory.listHosts()).map(({ id }) => id),
        handle,
      )
      return hostId === undefined ? undefined : directory.findHostById(hostId)
    },
  }
}
