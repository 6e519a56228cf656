import type { LifetimesOf } from '@rookery/oauth'
import { must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'

/** Returns how long sessions of accounts last, as their tenants decide. */
export function sessionLifetimes(directory: Pick<HostDirectory, 'findTenant'>): LifetimesOf {
  return async (tenantId) => {
    const { settings } = must(await directory.findTenant(tenantId))
    return {
      browserMs: settings.browserSessionMs,
      publicSessionMs: settings.oauthPublicSessionMs,
      publicRefreshMs: settings.oauthPublicRefreshMs,
      confidentialSessionMs: settings.oauthConfidentialSessionMs,
      confidentialRefreshMs: settings.oauthConfidentialRefreshMs,
    }
  }
}
