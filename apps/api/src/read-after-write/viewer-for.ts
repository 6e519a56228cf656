import { format } from 'node:util'

import type { Config } from '@rookery/config'
import { type UpstreamClient, readAnswer } from '@rookery/http'
import { RecordNotFoundError, type RecordReader } from '@rookery/records'
import type { HostDirectory } from '@rookery/tenants'

import { type ForwardDeps, queryToken } from '../proxy/forward.ts'
import type { Service } from '../proxy/services.ts'
import type { Embedding } from './embeds.ts'
import type { LocalRecords, ProfileRecord } from './local-records.ts'
import type { ReadCall } from './read-method.ts'
import { Viewer } from './viewer.ts'

export type ViewingDeps = Pick<ForwardDeps, 'serviceTokens' | 'audience'> & {
  config: Pick<Config, 'proxy'>
  directory: Pick<HostDirectory, 'findTenant'>
  records: RecordReader
  upstream: Pick<UpstreamClient, 'request'>
}

/** Returns the viewer of what the caller wrote, for an answer of this service. */
export async function viewerFor(
  deps: ViewingDeps,
  { auth: { account }, host }: Pick<ReadCall<unknown>, 'auth' | 'host'>,
  { service, local }: { service: Service; local: LocalRecords },
): Promise<Viewer> {
  const tenant = await deps.directory.findTenant(account.tenant_id)
  const pattern = tenant?.settings.appView?.cdnUrlPattern
  return new Viewer(
    {
      account,
      imageUrl: (variant, blob) => {
        const cid = blob?.ref?.$link ?? blob?.cid
        if (cid === undefined) return undefined
        if (pattern !== undefined) return format(pattern, variant, account.did, cid)
        const query = new URLSearchParams({ did: account.did, cid })
        return `${host.publicUrl}/xrpc/com.atproto.sync.getBlob?${query.toString()}`
      },
      query: queryAs(deps, account, service),
      findProfile: () => findProfile(deps, { hostId: host.id, repo: account.did }),
    },
    local,
  )
}

/** Returns what asks the service in the account's name. */
export function queryAs(
  deps: Pick<ViewingDeps, 'serviceTokens' | 'audience' | 'upstream' | 'config'>,
  account: { id: number; did: string },
  service: Service,
): Embedding['query'] {
  return async (nsid, params) => {
    const token = await queryToken(deps, account, { service, nsid })
    const answer = await deps.upstream.request({
      origin: service.origin,
      path: `/xrpc/${nsid}?${new URLSearchParams(params).toString()}`,
      method: 'GET',
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
    })
    const bytes = await readAnswer(answer.body, deps.config.proxy.answerBytesMax)
    return JSON.parse(bytes.toString()) as Record<string, unknown>
  }
}

async function findProfile(
  { records }: ViewingDeps,
  owner: { hostId: number; repo: string },
): Promise<ProfileRecord | undefined> {
  try {
    const json = await records.getRecord({ ...owner, collection: 'app.bsky.actor.profile', rkey: 'self' })
    return (JSON.parse(json.toString()) as { value: ProfileRecord }).value
  } catch (error) {
    if (error instanceof RecordNotFoundError) return undefined
    throw error
  }
}
