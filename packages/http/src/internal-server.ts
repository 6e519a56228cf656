import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { metrics } from '@rookery/telemetry'

/** What the internal port answers from. */
export type InternalServerOptions = {
  /** 0 takes a free one. */
  port: number
  /** Address to listen on. Default every one. */
  address?: string
  /** Tells what keeps the process from serving, or undefined when it is ready. */
  notReady: () => Promise<string | undefined> | string | undefined
  /** What else is answered, by path: status and text. */
  routes?: Readonly<Record<string, (query: URLSearchParams) => Promise<[number, string]>>>
}

/** The internal port of a process. */
export type InternalServer = AsyncDisposable & {
  /** The port that it listens on. */
  port: number
  /** Makes /readyz answer 503 from now on: the first step of stopping. */
  drain(): void
}

/** Serves /livez, /readyz, /metrics and the given routes on a port that only the cluster can reach. */
export async function startInternalServer(options: InternalServerOptions): Promise<InternalServer> {
  let isDraining = false
  const answer = async (url: string): Promise<[number, string]> => {
    const [path = '', query = ''] = url.split('?', 2)
    const route = options.routes?.[path]
    if (route !== undefined) return route(new URLSearchParams(query))
    if (path === '/livez') return [200, 'ok\n']
    if (path === '/metrics') return [200, await metrics.page()]
    if (path !== '/readyz') return [404, 'not found\n']
    const reason = isDraining ? 'draining' : await options.notReady()
    return reason === undefined ? [200, 'ok\n'] : [503, `${reason}\n`]
  }
  const server = createServer((request, response) => {
    answer(request.url ?? '').then(
      ([status, text]) => response.writeHead(status, { 'content-type': 'text/plain' }).end(text),
      (error: unknown) => response.writeHead(503, { 'content-type': 'text/plain' }).end(`${String(error)}\n`),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address ?? '0.0.0.0', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    drain: () => {
      isDraining = true
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
