import websocket from '@fastify/websocket'
import { encodeErrorFrame, type Fanout, FutureCursorError } from '@rookery/events'
import { XrpcError } from '@rookery/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'

import { ConnectionLimits } from './connection-limits.ts'
import {
  clientMessageBytesMax,
  connectionsPerHostMax,
  connectionsPerIpMax,
  keepAliveMs,
  retryAfterSeconds,
} from './limits.ts'
import { socketSink } from './socket-sink.ts'

const path = '/xrpc/com.atproto.sync.subscribeRepos'

export type SubscribeReposDeps = {
  fanout: Fanout
  /** Tells whether the process takes no more subscribers. */
  isDraining: () => boolean
  /** Default `connectionsPerIpMax` and `connectionsPerHostMax`. */
  limits?: { perIpMax: number; perHostMax: number }
}

/**
 * com.atproto.sync.subscribeRepos: the host's events from a cursor on, as they come. What is refused before the upgrade
 * is answered in JSON (SPEC EV-2).
 */
export async function registerSubscribeRepos(app: FastifyInstance, deps: SubscribeReposDeps): Promise<void> {
  const limits = new ConnectionLimits(
    deps.limits ?? { perIpMax: connectionsPerIpMax, perHostMax: connectionsPerHostMax },
  )
  await app.register(websocket, {
    options: { perMessageDeflate: false, maxPayload: clientMessageBytesMax },
    // A client that does not answer the close must not hold the process.
    preClose: (done) => {
      for (const client of app.websocketServer.clients) client.terminate()
      app.websocketServer.close(() => done())
    },
    errorHandler: (error, socket, request) => {
      request.log.debug({ err: error, ...request.logContext }, 'a subscriber connection broke')
      socket.terminate()
    },
  })
  // Node leaves the socket of a refused upgrade to us, and so does the plugin when an early hook refused it.
  app.addHook('onResponse', (request, _reply, done) => {
    if (request.headers.upgrade !== undefined) request.raw.socket.destroySoon()
    done()
  })
  app.route({
    method: 'GET',
    url: path,
    exposeHeadRoute: false,
    preHandler: async (request) => {
      if (!request.ws) return
      if (deps.isDraining()) throw restarting()
      parseCursor(request)
      limits.check(peerOf(request))
    },
    handler: (_request, reply) => upgradeRequired(reply),
    wsHandler: (socket, request) => serve(deps.fanout, limits, { socket, request }),
  })
  app.route({
    method: ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: path,
    handler: (_request, reply) =>
      reply.code(405).header('allow', 'GET').send({ error: 'MethodNotAllowed', message: 'Use GET' }),
  })
}

async function serve(
  fanout: Fanout,
  limits: ConnectionLimits,
  { socket, request }: { socket: WebSocket; request: FastifyRequest },
): Promise<void> {
  const tcp = request.raw.socket
  tcp.setNoDelay(true)
  tcp.setKeepAlive(true, keepAliveMs)
  const peer = peerOf(request)
  const cursor = parseCursor(request)
  const release = limits.add(peer)
  const log = request.log.child({ ...request.logContext, ip: peer.ip, cursor })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  try {
    const subscription = await fanout.subscribe(peer.hostId, cursor, socketSink(socket, tcp))
    log.info('a subscriber came')
    tcp.on('drain', () => subscription.resume())
    await closed
    subscription.end()
    log.info('a subscriber went')
  } catch (error) {
    refuse(socket, error)
    log.info({ err: error }, 'a subscriber was refused')
    await closed
  } finally {
    release()
  }
}

function refuse(socket: WebSocket, error: unknown): void {
  if (error instanceof FutureCursorError) {
    socket.send(encodeErrorFrame({ error: error.code, message: error.message }))
    socket.close(1008, error.code)
  } else {
    socket.close(1011, 'the event log is not available')
  }
}

function peerOf(request: FastifyRequest): { ip: string; hostId: number } {
  return { ip: request.ip, hostId: request.pdsHost.id }
}

/**
 * Returns the cursor of the query, or undefined without one.
 *
 * @throws {XrpcError} 400 unless it is an integer.
 */
function parseCursor(request: FastifyRequest): number | undefined {
  const { cursor } = request.query as { cursor?: unknown }
  if (cursor === undefined) return undefined
  const value = typeof cursor === 'string' && /^-?\d{1,16}$/.test(cursor) ? Number(cursor) : NaN
  if (!Number.isSafeInteger(value)) throw new XrpcError(400, 'InvalidRequest', 'cursor must be an integer')
  return value
}

function upgradeRequired(reply: FastifyReply): FastifyReply {
  return reply
    .code(426)
    .headers({ upgrade: 'websocket', connection: 'upgrade' })
    .send({ error: 'UpgradeRequired', message: 'This method is a WebSocket' })
}

function restarting(): XrpcError {
  return new XrpcError(503, 'NotReady', 'The server is restarting', {
    headers: { 'retry-after': String(retryAfterSeconds) },
  })
}
