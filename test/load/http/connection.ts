/**
 * One keep-alive HTTP/1.1 connection that does one request at a time: small enough that the load generator stays
 * cheap beside the servers it measures (about a third of the CPU time that a general client takes).
 */
import { type Socket, connect } from 'node:net'

import { ResponseParser } from './response-parser.ts'

/** Where a server listens, and what it is called in the Host header. */
export type Server = { port: number; host: string }

/** A request. `head` holds further header lines, each ended by CR LF. */
export type Request = {
  method: 'GET' | 'POST'
  path: string
  head?: string
  /** Parts of a body are written one after the other, without being joined. */
  body?: Buffer | readonly Buffer[]
}

/** An answer. `body` holds its first bytes only, up to what the caller wanted to keep. */
export type Response = { status: number; bytes: number; body: Buffer }

/** Bytes of the body of a request. */
export function bodyBytes(request: Request): number {
  return parts(request).reduce((sum, part) => sum + part.length, 0)
}

function parts({ body }: Request): readonly Buffer[] {
  if (body === undefined) return []
  return ArrayBuffer.isView(body) ? [body] : body
}

/** Bytes of a body that are kept unless the caller says otherwise: enough for JSON answers and errors. */
const keptBytesDefault = 64 * 1024

/** An answer that takes longer is given up, in milliseconds. */
const idleMsMax = 180_000

/** See the header of this module. */
export class Connection implements Disposable {
  readonly #server: Server
  #socket: Socket | undefined
  #parser: ResponseParser | undefined
  #settle: { resolve: (response: Response) => void; reject: (error: Error) => void } | undefined

  constructor(server: Server) {
    this.#server = server
  }

  /** Sends a request and resolves with its answer, whatever its status; rejects when the connection fails. */
  send(request: Request, keptBytesMax = keptBytesDefault): Promise<Response> {
    const socket = (this.#socket ??= this.#connect())
    this.#parser = new ResponseParser(keptBytesMax)
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    this.#settle = { resolve, reject }
    const lengthLine = request.method === 'POST' ? `content-length: ${bodyBytes(request)}\r\n` : ''
    const start = `${request.method} ${request.path} HTTP/1.1\r\nhost: ${this.#server.host}\r\n`
    socket.cork()
    socket.write(`${start}${lengthLine}${request.head ?? ''}\r\n`, 'latin1')
    for (const part of parts(request)) socket.write(part)
    socket.uncork()
    return promise
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #connect(): Socket {
    const socket = connect({ port: this.#server.port, host: '127.0.0.1', noDelay: true })
    socket.setTimeout(idleMsMax, () => socket.destroy(new Error(`no answer within ${idleMsMax} ms`)))
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(socket, error))
    socket.on('close', () => this.#fail(socket, new Error('the server closed the connection')))
    return socket
  }

  #take(chunk: Buffer): void {
    const parser = this.#parser
    if (parser === undefined) return
    parser.take(chunk)
    if (!parser.isDone) return
    this.#parser = undefined
    const settle = this.#settle
    this.#settle = undefined
    if (parser.closes) this[Symbol.dispose]()
    settle?.resolve({ status: parser.status, bytes: parser.bytes, body: parser.body() })
  }

  #fail(socket: Socket, error: Error): void {
    if (this.#socket === socket) this.#socket = undefined
    else if (this.#socket !== undefined) return
    this.#parser = undefined
    const settle = this.#settle
    this.#settle = undefined
    settle?.reject(error)
  }
}
