import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'

import { openDomains } from '../../accounts/open-domains.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'
import { uploadBytesMaxOf } from '../upload-rules.ts'

/** com.atproto.server.describeServer: what an app or relay needs to know of the host before anything else. */
export function describeServer(deps: { directory: HostDirectory; uploadBytesMax: number }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.describeServer',
    auth: unauthenticated,
    handler: async ({ host }) => {
      const { defaultTenantId } = must(await deps.directory.findHost(host.hostname))
      const { settings } = must(await deps.directory.findTenant(defaultTenantId))
      return {
        did: host.serviceDid,
        availableUserDomains: await openDomains(deps.directory, host.id),
        inviteCodeRequired: settings.inviteRequired,
        phoneVerificationRequired: false,
        links: definedOnly({
          privacyPolicy: settings.privacyPolicyUrl,
          termsOfService: settings.termsOfServiceUrl,
        }),
        contact: definedOnly({ email: settings.contactEmail }),
        blobUploadLimit: uploadBytesMaxOf(settings, deps.uploadBytesMax),
      }
    },
  })
}

function definedOnly(fields: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}
