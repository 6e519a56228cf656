import { type Message, Subscriber } from './subscriber.ts'

/** How long a follower waits before it comes back, in milliseconds. */
const reconnectMs = 50

/**
 * Reads the firehose of one host as a relay does: whenever the connection ends, it comes back at its cursor. It keeps
 * every event, through all connections.
 */
export class Follower implements AsyncDisposable {
  readonly messages: Message[] = []
  /** Error and info frames. */
  readonly notices: string[] = []
  /** How each connection that was open has ended: the close code. */
  readonly closeCodes: number[] = []
  /** Longest time without an event, in milliseconds. */
  longestPauseMs = 0
  readonly #url: string
  readonly #running: Promise<void>
  #socket: Subscriber | undefined
  #lastAtMs: number | undefined
  #isStopped = false

  constructor(url: string) {
    this.#url = url
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    await this.#socket?.[Symbol.asyncDispose]()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#follow(new Subscriber(this.#url, { cursor: this.messages.at(-1)?.seq ?? 0 }))
      await new Promise((resolve) => setTimeout(resolve, reconnectMs))
    }
  }

  async #follow(socket: Subscriber): Promise<void> {
    this.#socket = socket
    socket.onMessage = (message) => this.#keep(message)
    const isOpen = await socket.opened.then(
      () => true,
      () => false,
    )
    const code = await socket.closed
    if (isOpen && !this.#isStopped) this.closeCodes.push(code)
    this.notices.push(...socket.notices.map(({ name }) => name))
  }

  #keep(message: Message): void {
    const nowMs = performance.now()
    this.longestPauseMs = Math.max(this.longestPauseMs, nowMs - (this.#lastAtMs ?? nowMs))
    this.#lastAtMs = nowMs
    this.messages.push(message)
  }
}
