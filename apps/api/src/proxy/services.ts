import { XrpcError, invalidRequest } from '@rookery/http'
import {
  DidDeactivatedError,
  type DidDocument,
  DidNotFoundError,
  DidUnreachableError,
  type IdentityResolver,
  serviceEndpoint,
} from '@rookery/identity'
import type { HostDirectory, TenantSettings } from '@rookery/tenants'

import { type ServiceName, parseProxyHeader } from './proxy-header.ts'

/** A service and where it is. */
export type Service = ServiceName & { origin: string }

export type ServiceDeps = {
  directory: Pick<HostDirectory, 'findTenant'>
  identities: Pick<IdentityResolver, 'resolveDid'>
}

/** For whom a service is looked for. */
export type ServiceQuestion = {
  /** Whose settings name the services. */
  tenantId: number
  nsid: string
  /** The atproto-proxy header, if the request has one. */
  header: string | undefined
}

const reportMethod = 'com.atproto.moderation.createreport'

/**
 * Returns the service that a request goes to: the one that its header names, or else the tenant's own for the method.
 * Services of the tenant are where its settings say; others are where their DID's document says.
 *
 * @throws {XrpcError} 400 if the header is malformed, names nothing that is there, or is missing where no service is
 * configured; 502 if the DID cannot be resolved now.
 */
export async function findService(deps: ServiceDeps, question: ServiceQuestion): Promise<Service> {
  const settings = (await deps.directory.findTenant(question.tenantId))?.settings
  if (question.header === undefined) {
    const service = settings && defaultService(settings, question.nsid)
    if (service === undefined) throw invalidRequest(`No service configured for ${question.nsid}`)
    return service
  }
  const name = parseProxyHeader(question.header)
  const own = settings && ownServices(settings).find(({ did, id }) => did === name.did && id === name.id)
  return own ?? resolveService(deps, name)
}

/** Returns the tenant's AppView, or undefined if it has none. */
export async function findAppView(
  deps: Pick<ServiceDeps, 'directory'>,
  tenantId: number,
): Promise<Service | undefined> {
  return optional((await deps.directory.findTenant(tenantId))?.settings.appView ?? null, 'bsky_appview')
}

/**
 * Returns the service of a DID that takes registrations for push notifications: the tenant's AppView if it is that, or
 * what the DID's document says.
 *
 * @throws {XrpcError} 400 if there is none; 502 if the DID cannot be resolved now.
 */
export async function findPushService(deps: ServiceDeps, tenantId: number, did: string): Promise<Service> {
  const appView = await findAppView(deps, tenantId)
  const id = 'bsky_notif'
  if (appView?.did === did) return { did, id, origin: appView.origin }
  const document = await resolve(deps, did, `could not resolve did document: ${did}`)
  const origin = serviceEndpoint(document, id, 'BskyNotificationService')
  if (origin !== undefined) return { did, id, origin }
  throw invalidRequest(`invalid notification service details in did document: ${did}`)
}

async function resolveService(deps: ServiceDeps, { did, id }: ServiceName): Promise<Service> {
  const origin = serviceEndpoint(await resolve(deps, did, 'could not resolve proxy did'), id)
  if (origin !== undefined) return { did, id, origin }
  throw invalidRequest('could not resolve proxy did service url')
}

async function resolve(deps: ServiceDeps, did: string, message: string): Promise<DidDocument> {
  try {
    return await deps.identities.resolveDid(did)
  } catch (cause) {
    if (cause instanceof DidNotFoundError || cause instanceof DidDeactivatedError) {
      throw new XrpcError(400, 'InvalidRequest', message, { cause })
    }
    if (cause instanceof DidUnreachableError) throw new XrpcError(502, 'UpstreamFailure', message, { cause })
    throw cause
  }
}

function defaultService(settings: TenantSettings, nsid: string): Service | undefined {
  const { appView, chat, moderation, report } = settings
  const method = nsid.toLowerCase()
  if (method === reportMethod) return optional(report ?? moderation, 'atproto_labeler')
  if (method.startsWith('tools.ozone.')) return optional(moderation, 'atproto_labeler')
  if (method.startsWith('chat.bsky.') && chat !== null) return configured(chat, 'bsky_chat')
  return optional(appView, 'bsky_appview')
}

function ownServices({ appView, chat, moderation, report }: TenantSettings): Service[] {
  return [
    optional(appView, 'bsky_appview'),
    optional(chat, 'bsky_chat'),
    optional(moderation, 'atproto_labeler'),
    optional(report, 'atproto_labeler'),
  ].filter((service) => service !== undefined)
}

function optional(setting: { did: string; url: string } | null, id: string): Service | undefined {
  return setting === null ? undefined : configured(setting, id)
}

function configured({ did, url }: { did: string; url: string }, id: string): Service {
  return { did, id, origin: new URL(url).origin }
}
