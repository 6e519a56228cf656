import { Readable } from 'node:stream'

import { type PdsHost, RawAnswer } from '@rookery/http'
import { type RepoExporter, getServableRepo } from '@rookery/records'
import type { Database } from '@rookery/db'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { OptionalAuth } from '../../auth/access.ts'
import { carType, readOptions } from './read-options.ts'

/** What sending repos takes. */
export type SendRepoDeps = { db: Pick<Database, 'pool'>; exporter: RepoExporter }

/**
 * Returns the answer that streams a repo, or what came since a rev. A client that goes away before it begins leaves
 * the queue. What fails midway breaks the connection off, so that nobody takes the CAR for whole.
 */
export async function sendRepo(
  deps: SendRepoDeps,
  call: {
    host: PdsHost
    params: { did: string; since?: string }
    auth: OptionalAuth
    request: FastifyRequest
    reply: FastifyReply
  },
): Promise<RawAnswer> {
  const { host, params, auth, request, reply } = call
  const address = { hostId: host.id, did: params.did }
  const options = readOptions(auth, params.did)
  if (request.method === 'HEAD') {
    await getServableRepo(deps.db.pool, address, options)
    // How long it would be is not known before it is built.
    return new RawAnswer(carType, Readable.from([]))
  }
  const gone = new AbortController()
  const giveUp = (): void => gone.abort(new Error('the client is gone'))
  reply.raw.once('close', giveUp)
  try {
    const { signal } = gone
    return new RawAnswer(
      carType,
      await deps.exporter.open(address, { ...options, since: params.since, signal }),
    )
  } finally {
    reply.raw.off('close', giveUp)
  }
}
