import { Frame } from '@atproto/xrpc-server'
import { WebSocket } from 'ws'

/** A message of the firehose, decoded by the reference implementation's own parser. */
export type Message = {
  type: string
  seq: number
  /** The frame as it came over the wire. */
  bytes: Buffer
  body: Record<string, unknown>
}

/** Reads the firehose of one host from one server and keeps every frame. */
export class Subscriber implements AsyncDisposable {
  readonly messages: Message[] = []
  /** Error and info frames. */
  readonly notices: { name: string; message?: string }[] = []
  readonly closed: Promise<number>
  readonly opened: Promise<void>
  /** Whether the connection has ended, or never came about. */
  isClosed = false
  /** Told of every message, after it was kept. */
  onMessage: ((message: Message) => void) | undefined
  readonly #socket: WebSocket

  /**
   * @param url origin of the load balancer or of one pod.
   * @param options.host name of the host, when the URL is a pod's own.
   */
  constructor(url: string, options: { host?: string; cursor?: number } = {}) {
    const query = options.cursor === undefined ? '' : `?cursor=${options.cursor}`
    const target = `${url.replace(/^http/, 'ws')}/xrpc/com.atproto.sync.subscribeRepos${query}`
    this.#socket = new WebSocket(target, {
      headers: options.host === undefined ? {} : { host: options.host },
    })
    this.#socket.on('message', (data: Buffer) => this.#keep(data))
    this.#socket.on('error', () => {})
    this.opened = new Promise((resolve, reject) => {
      this.#socket.once('open', resolve)
      this.#socket.once('error', reject)
    })
    this.opened.catch(() => {})
    this.closed = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#socket.once('close', () => {
      this.isClosed = true
    })
  }

  /** Highest seq seen, or 0. */
  get lastSeq(): number {
    return this.messages.at(-1)?.seq ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate()
    await this.closed
  }

  #keep(data: Buffer): void {
    const frame = Frame.fromBytes(data)
    if (frame.isError()) {
      this.notices.push({
        name: frame.code,
        ...(frame.message === undefined ? {} : { message: frame.message }),
      })
      return
    }
    if (!frame.isMessage()) return
    const body = frame.body as Record<string, unknown>
    if (frame.type === '#info') {
      this.notices.push({ name: String(body['name']) })
      return
    }
    const message = {
      type: String(frame.type),
      seq: Number(body['seq']),
      bytes: Buffer.from(data),
      body,
    }
    this.messages.push(message)
    this.onMessage?.(message)
  }
}
