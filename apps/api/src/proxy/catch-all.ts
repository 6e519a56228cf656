import type { Readable } from 'node:stream'

import { XrpcError, invalidRequest } from '@rookery/http'
import { isNsid } from '@rookery/syntax'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { type AccessAuth, type AccessDeps, accessAuth } from '../auth/access.ts'
import { assertNotProtected } from '../auth/service-calls.ts'
import { leaveBody } from '../xrpc/streamed-body.ts'
import { boundedBody } from './bounded-body.ts'
import { type ForwardDeps, forward } from './forward.ts'

export type CatchAllDeps = AccessDeps &
  ForwardDeps & {
    /** Largest body, in bytes. */
    requestBytesMax: number
  }

const path = '/xrpc/:nsid'

/**
 * Registers the route of every XRPC method that is not served here: it is forwarded for accounts that are signed in
 * and active. Bodies stream both ways.
 *
 * @param served methods that are served here: none of them is ever forwarded by this route.
 */
export function registerCatchAll(
  app: FastifyInstance,
  deps: CatchAllDeps,
  served: readonly { nsid: string }[],
): void {
  const here = new Set(served.map(({ nsid }) => nsid.toLowerCase()))
  const authenticate = accessAuth(deps, { allowDeactivated: false })
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
    scope.route<{ Params: { nsid: string } }>({
      method: ['GET', 'HEAD', 'POST'],
      url: path,
      exposeHeadRoute: false,
      // What the service compressed stays as it is, and so does what it did not.
      compress: false,
      onRequest: async (request, reply) => {
        assertForwardable(request.params.nsid, here)
        void reply.header('cache-control', 'private').header('vary', 'authorization')
        request.xrpc = { params: undefined, auth: await authenticate(request, reply) }
      },
      handler: (request, reply) => run(deps, request.params.nsid, request, reply),
    })
    scope.route({
      method: ['DELETE', 'PATCH', 'PUT'],
      url: path,
      handler: () => {
        throw invalidRequest('XRPC requests only supports GET and POST')
      },
    })
    done()
  })
}

function assertForwardable(nsid: string, here: ReadonlySet<string>): void {
  if (!isNsid(nsid)) throw invalidRequest('invalid xrpc path')
  assertNotProtected(nsid)
  // With another verb, or in another case.
  if (here.has(nsid.toLowerCase())) {
    throw new XrpcError(501, 'MethodNotImplemented', 'Method Not Implemented')
  }
}

async function run(
  deps: CatchAllDeps,
  nsid: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const auth = request.xrpc?.auth as AccessAuth
  const payload = request.body as Readable | undefined
  try {
    const body = payload && boundedBody(request, payload, deps.requestBytesMax)
    return (await forward(deps, { request, reply, auth, nsid, body })).send(reply)
  } catch (error) {
    if (payload !== undefined) leaveBody(reply, payload)
    throw error
  }
}
