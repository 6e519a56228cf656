/** One cheap subscriber of the firehose. */
import { randomBytes } from 'node:crypto'
import { type Socket, connect } from 'node:net'

import type { Server } from '../http/connection.ts'
import { FrameParser } from './frame-parser.ts'

/** How to subscribe. */
export type SubscriberOptions = {
  server: Server
  /** Where it comes from, as a load balancer would tell: a server may allow one address only so many connections. */
  address: string
  cursor?: number
  /** Is given each message; its bytes only with `keepsPayloads`. */
  onMessage: (payload: Buffer | undefined) => void
  keepsPayloads: boolean
  /** The server or the connection has ended the stream. */
  onEnd: () => void
}

/** Subscribes; resolves when the server has accepted. Rejects with its answer when it refuses. */
export function subscribe(options: SubscriberOptions): Promise<Disposable> {
  const { server, address, cursor } = options
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true })
  const query = cursor === undefined ? '' : `?cursor=${cursor}`
  socket.write(
    `GET /xrpc/com.atproto.sync.subscribeRepos${query} HTTP/1.1\r\nhost: ${server.host}\r\n` +
      `x-forwarded-for: ${address}\r\n` +
      'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
      `sec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  )
  const parser = new FrameParser(options.keepsPayloads, {
    onMessage: options.onMessage,
    onPing: (payload) => pong(socket, payload),
    onClose: () => socket.end(),
  })
  const { promise, resolve, reject } = Promise.withResolvers<Disposable>()
  let head: Buffer | undefined = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    if (head === undefined) return parser.take(chunk)
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const answer = head.toString('latin1', 0, end)
    if (!answer.startsWith('HTTP/1.1 101')) {
      reject(new Error(`subscribeRepos was refused: ${answer.split('\r\n')[0]}`))
      return socket.destroy()
    }
    const rest = head.subarray(end + 4)
    head = undefined
    resolve({ [Symbol.dispose]: () => socket.destroy() })
    if (rest.length > 0) parser.take(rest)
  })
  socket.on('error', reject)
  socket.on('close', () => {
    reject(new Error('the firehose closed the connection'))
    options.onEnd()
  })
  return promise
}

/** Answers a ping. A client's frame is masked; the mask of zeros leaves the payload as it is. */
function pong(socket: Socket, payload: Buffer): void {
  socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]))
}
