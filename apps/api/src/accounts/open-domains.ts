import type { HostDirectory } from '@rookery/tenants'

/** Returns the handle domains of a host under which somebody may sign up. */
export async function openDomains(
  directory: Pick<HostDirectory, 'findTenant' | 'listHandleDomains'>,
  hostId: number,
): Promise<string[]> {
  const domains = await Promise.all(
    directory.listHandleDomains(hostId).map(async ({ domain, tenantId }) => {
      const tenant = await directory.findTenant(tenantId)
      return tenant?.settings.signUpClosed === true ? [] : [domain]
    }),
  )
  return domains.flat()
}
