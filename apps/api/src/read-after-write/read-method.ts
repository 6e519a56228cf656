import { Readable } from 'node:stream'

import {
  type AnyXrpcMethod,
  UpstreamAnswer,
  type XrpcCall,
  decodeAnswer,
  defineMethod,
  readAnswer,
  withoutContentHeaders,
} from '@rookery/http'
import { isTid } from '@rookery/syntax'

import { type AccessAuth, type AccessDeps, accessAuth } from '../auth/access.ts'
import { type ForwardDeps, forward, serviceOf } from '../proxy/forward.ts'
import type { Service } from '../proxy/services.ts'
import { type LocalRecords, findLocalRecords } from './local-records.ts'
import { type ViewingDeps, viewerFor } from './viewer-for.ts'
import type { Viewer } from './viewer.ts'

export type ReadDeps = AccessDeps & ForwardDeps & ViewingDeps

/** A query of an account that its AppView answers. */
export type ReadCall<Params> = XrpcCall<Params, unknown, AccessAuth>

/** What a method's answer becomes with what the caller wrote. */
type Adjust<Params, Output> = (viewer: Viewer, output: Output, params: Params) => Promise<Output> | Output

type Reading<Params, Output> = {
  nsid: string
  adjust: Adjust<Params, Output>
  /** Answers in place of an error of the service; throws it if it cannot. */
  recover?: (error: unknown, call: ReadCall<Params>, service: Service) => Promise<unknown>
}

/**
 * Declares a query that is forwarded, and whose answer is then brought up to what the caller wrote itself: services
 * learn of writes by the firehose, and their answers say by `Atproto-Repo-Rev` how far they have come. Whatever goes
 * wrong with that, the service's own answer is given.
 */
export function readMethod<Params, Output>(deps: ReadDeps, reading: Reading<Params, Output>): AnyXrpcMethod {
  const { nsid, recover } = reading
  return defineMethod({
    nsid,
    auth: accessAuth(deps, { allowDeactivated: false }),
    handler: async (call: ReadCall<Params>) => {
      const service = await serviceOf(deps, call.request, call.auth, nsid)
      try {
        const answer = await forward(deps, { ...call, nsid, service })
        return await adjusted(deps, reading, { call, service, answer })
      } catch (error) {
        if (recover === undefined) throw error
        return recover(error, call, service)
      }
    },
  })
}

/** Tells with an answer how far the service is behind, in milliseconds. */
export function tellLag({ reply }: Pick<ReadCall<unknown>, 'reply'>, { lagMs }: LocalRecords): void {
  reply.header('atproto-upstream-lag', String(lagMs))
}

async function adjusted<Params, Output>(
  deps: ReadDeps,
  { adjust }: Reading<Params, Output>,
  { call, service, answer }: { call: ReadCall<Params>; service: Service; answer: UpstreamAnswer },
): Promise<unknown> {
  const local = await findLocal(deps, call, answer)
  if (local === undefined) return answer
  const bytesMax = deps.config.proxy.answerBytesMax
  const bytes = await readAnswer(answer.body, bytesMax)
  try {
    const json = await decodeAnswer(bytes, answer.headers['content-encoding'], bytesMax)
    const viewer = await viewerFor(deps, call, { service, local })
    const output = await adjust(viewer, JSON.parse(json.toString()) as Output, call.params)
    call.reply.headers(withoutContentHeaders(answer.headers))
    tellLag(call, local)
    return output
  } catch (error) {
    warn(call, error)
    return new UpstreamAnswer(answer.status, answer.headers, Readable.from([bytes]))
  }
}

async function findLocal(
  { db }: ReadDeps,
  call: ReadCall<unknown>,
  { headers }: UpstreamAnswer,
): Promise<LocalRecords | undefined> {
  const rev = headers['atproto-repo-rev']
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(headers['content-type'] ?? 'application/json')
  if (call.request.method !== 'GET' || rev === undefined || !isTid(rev) || !isJson) return undefined
  try {
    return await findLocalRecords(db.pool, call.auth.account, rev)
  } catch (error) {
    warn(call, error)
    return undefined
  }
}

function warn({ request }: ReadCall<unknown>, error: unknown): void {
  request.log.warn(
    { ...request.logContext, err: error },
    'an answer could not be brought up to the latest writes',
  )
}
