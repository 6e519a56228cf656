/**
 * The local stand-in for an ingress: HTTP and WebSocket, round robin over the ready processes of a role.
 *
 * `com.atproto.sync.subscribeRepos` goes to firehose processes, everything else to api processes. Bodies stream both
 * ways and `Host` stays as it was. `X-Served-By` tells the port of the process that answered. A backend that refuses the connection is passed over for the next one, as long as
 * no byte was sent to it or the request is a plain read. When no backend is ready, those that merely exist are tried:
 * better an error from a process that knows the reason than one from here.
 */
import { once } from 'node:events'
import {
  Agent,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request as httpRequest,
} from 'node:http'
import type { Duplex } from 'node:stream'

import type { Backend } from './backend.ts'
import { SetUpError } from './set-up-error.ts'
import { tunnel } from './tunnel.ts'

/** Concerns one connection only, so it is not passed on (RFC 9110 section 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Set by this balancer alone: a client may not claim another address or host. */
const forwarded = new Set(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])

const firehosePath = '/xrpc/com.atproto.sync.subscribeRepos'

/** A running load balancer. */
export class LoadBalancer implements AsyncDisposable {
  readonly #backends: readonly Backend[]
  readonly #servers: Server[] = []
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 256 })
  readonly #tunnels = new Set<Duplex>()
  readonly #turns = new Map<string, number>()

  private constructor(backends: readonly Backend[]) {
    this.#backends = backends
  }

  /**
   * Listens on the given ports of the loopback addresses.
   *
   * @param backends read anew for every request: a supervisor adds and removes them.
   * @throws {SetUpError} if a port is taken.
   */
  static async listen(ports: readonly number[], backends: readonly Backend[]): Promise<LoadBalancer> {
    const balancer = new LoadBalancer(backends)
    try {
      for (const port of ports) {
        await balancer.#listen(port, '127.0.0.1')
        await balancer.#listen(port, '::1')
      }
    } catch (error) {
      await balancer[Symbol.asyncDispose]()
      throw error
    }
    return balancer
  }

  /** Refuses new connections at once and gives running requests `graceMs` to end. */
  async close(graceMs: number): Promise<void> {
    const closed = this.#servers.map((server) => {
      const done = server.listening ? once(server, 'close') : Promise.resolve([])
      server.close()
      server.closeIdleConnections()
      return done
    })
    const cut = setTimeout(() => {
      for (const server of this.#servers) server.closeAllConnections()
      for (const socket of this.#tunnels) socket.destroy()
    }, graceMs)
    await Promise.all(closed)
    clearTimeout(cut)
    this.#agent.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0)
  }

  async #listen(port: number, host: string): Promise<void> {
    const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0 }, (request, response) => {
      this.#forward(request, response, this.#candidates(request))
    })
    server.on('upgrade', (request, socket, head) => {
      this.#tunnels.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => this.#tunnels.delete(socket))
      tunnel({ request, socket, head, headers: forwardedHeaders(request) }, this.#candidates(request))
    })
    server.on('clientError', (_error, socket) => socket.destroy())
    server.listen(port, host)
    try {
      await once(server, 'listening')
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // NOTE: a machine without IPv6 still has 127.0.0.1.
      if (host === '::1' && code !== 'EADDRINUSE') return
      throw new SetUpError(
        code === 'EADDRINUSE'
          ? `port ${port} is in use: stop what listens there, or choose another with --port`
          : `cannot listen on port ${port}: ${(error as Error).message}`,
        { cause: error },
      )
    }
    this.#servers.push(server)
  }

  /** The backends to try for a request, best first. */
  #candidates(request: IncomingMessage): Backend[] {
    const path = (request.url ?? '').split('?', 1)[0]
    const role = path === firehosePath ? 'firehose' : 'api'
    const existing = this.#backends.filter((backend) => backend.role === role)
    const ready = existing.filter((backend) => backend.isReady)
    const pool = ready.length > 0 ? ready : existing
    const turn = this.#turns.get(role) ?? 0
    this.#turns.set(role, turn + 1)
    return pool.map((_, i) => pool[(turn + i) % pool.length] as Backend)
  }

  #forward(request: IncomingMessage, response: ServerResponse, candidates: Backend[]): void {
    const [backend, ...others] = candidates
    if (backend === undefined) return refuse(response)
    const upstream = httpRequest({
      host: '127.0.0.1',
      port: backend.port,
      method: request.method,
      path: request.url,
      headers: forwardedHeaders(request),
      setHost: false,
      agent: this.#agent,
    })
    let hasSent = false
    const send = () => {
      hasSent = true
      request.pipe(upstream)
    }
    upstream.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', send)
      else send()
    })
    upstream.once('response', (answer) => {
      const headers = [...endToEnd(answer.rawHeaders), 'X-Served-By', String(backend.port)]
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
      answer.pipe(response)
      answer.once('error', () => response.destroy())
      answer.once('aborted', () => response.destroy())
    })
    upstream.on('error', () => {
      if (response.destroyed) return undefined
      if (response.headersSent) return void response.destroy()
      const mayRepeat = !hasSent || isRepeatable(request)
      return mayRepeat ? this.#forward(request, response, others) : refuse(response)
    })
    response.once('close', () => upstream.destroy())
  }
}

/** Whether sending it twice does no harm: it has no body and changes nothing. */
function isRepeatable(request: IncomingMessage): boolean {
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers
  return (request.method === 'GET' || request.method === 'HEAD') && !hasBody
}

/** Answers that no process can take the request now. */
function refuse(response: ServerResponse): void {
  if (response.destroyed) return
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
  response.end(
    JSON.stringify({ error: 'UpstreamUnavailable', message: 'No process can take the request now' }),
  )
}

function forwardedHeaders(request: IncomingMessage): string[] {
  const headers = endToEnd(request.rawHeaders, forwarded)
  headers.push('X-Forwarded-For', request.socket.remoteAddress ?? '', 'X-Forwarded-Proto', 'http')
  return headers
}

function endToEnd(rawHeaders: readonly string[], without: ReadonlySet<string> = new Set()): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    const lower = name.toLowerCase()
    if (!hopByHop.has(lower) && !without.has(lower)) kept.push(name, rawHeaders[i + 1] ?? '')
  }
  return kept
}
