import type { IncomingMessage } from 'node:http'
import { type Socket, connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** A client's upgrade request and its connection. */
export type Upgrade = {
  request: IncomingMessage
  socket: Duplex
  /** Bytes that the client sent after the request's head. */
  head: Buffer
  /** End-to-end headers to pass on, names and values in turn. */
  headers: readonly string[]
}

/** Connects the client to the first backend that accepts, and passes bytes both ways until either side ends. */
export function tunnel(upgrade: Upgrade, candidates: readonly { port: number }[]): void {
  const { request, socket } = upgrade
  const [backend, ...others] = candidates
  if (backend === undefined) {
    socket.end(
      'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    )
    return
  }
  const upstream = connect({ port: backend.port, host: '127.0.0.1', noDelay: true })
  const retry = () => tunnel(upgrade, others)
  const abandon = () => upstream.destroy()
  upstream.once('error', retry)
  socket.once('close', abandon)
  upstream.once('connect', () => {
    upstream.off('error', retry)
    socket.off('close', abandon)
    upstream.write(requestHead(request, upgrade.headers))
    upstream.write(upgrade.head)
    join(socket, upstream)
  })
}

function requestHead(request: IncomingMessage, headers: readonly string[]): string {
  const lines = [`${request.method} ${request.url} HTTP/1.1`, 'Connection: Upgrade']
  lines.push(`Upgrade: ${request.headers.upgrade ?? ''}`)
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

function join(client: Duplex, upstream: Socket): void {
  upstream.on('error', () => undefined)
  client.pipe(upstream).pipe(client)
  client.once('close', () => upstream.destroy())
  upstream.once('close', () => client.destroy())
}
