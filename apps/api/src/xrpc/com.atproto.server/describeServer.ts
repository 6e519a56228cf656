import { type AnyXrpcMethod, type PdsHost, RawAnswer, defineMethod, jsonType } from '@rookery/http'
import { must } from '@rookery/std'
import { type HostDirectory, uploadBytesMaxOf } from '@rookery/tenants'

import { openDomains } from '../../accounts/open-domains.ts'
import { unauthenticated } from '../../auth/unauthenticated.ts'

type Deps = { directory: HostDirectory; uploadBytesMax: number }

/**
 * com.atproto.server.describeServer: what an app or relay needs to know of the host before anything else. The answer is
 * made once for each picture of the directory, which has every host as an object of its own.
 */
export function describeServer(deps: Deps): AnyXrpcMethod {
  const made = new WeakMap<PdsHost, string>()
  return defineMethod({
    nsid: 'com.atproto.server.describeServer',
    auth: unauthenticated,
    handler: ({ host }) => {
      const json = made.get(host)
      if (json !== undefined) return new RawAnswer(jsonType, json)
      return describe(deps, host).then((description) => {
        const text = JSON.stringify(description)
        made.set(host, text)
        return new RawAnswer(jsonType, text)
      })
    },
  })
}

async function describe({ directory, uploadBytesMax }: Deps, host: PdsHost): Promise<object> {
  const { defaultTenantId } = must(await directory.findHost(host.hostname))
  const { settings } = must(await directory.findTenant(defaultTenantId))
  return {
    did: host.serviceDid,
    availableUserDomains: await openDomains(directory, host.id),
    inviteCodeRequired: settings.inviteRequired,
    phoneVerificationRequired: false,
    links: definedOnly({
      privacyPolicy: settings.privacyPolicyUrl,
      termsOfService: settings.termsOfServiceUrl,
    }),
    contact: definedOnly({ email: settings.contactEmail }),
    blobUploadLimit: uploadBytesMaxOf(settings, uploadBytesMax),
  }
}

function definedOnly(fields: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}
