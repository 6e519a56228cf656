import { WebSocket } from 'ws'

import { compareWithHost } from '../conformance/relay/compare-with-host.ts'
import type { Finding } from '../conformance/relay/rules.ts'
import { StrictRelay } from '../conformance/relay/strict-relay.ts'
import { PlcIdentities } from './plc-identities.ts'
import { until } from './until.ts'

const waitingFramesMax = 500
const reconnectMs = 100
const settleMsMax = 30_000

/**
 * A strict relay on one host's firehose, through the load balancer, from the first event on. It comes back at its
 * last cursor whenever the connection ends, and reads no faster than it checks.
 */
export class HostWatch implements AsyncDisposable {
  readonly relay: StrictRelay
  readonly #url: string
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #failure: unknown

  constructor(host: { url: string }, plcUrl: string) {
    this.#url = host.url
    this.relay = new StrictRelay({ pdsUrl: host.url, identities: new PlcIdentities(plcUrl) })
    this.#running = this.#run().catch((error: unknown) => {
      this.#failure = error
    })
  }

  /**
   * Returns the findings so far. Once nothing is written any more, the stream must come to say what the host answers.
   *
   * @throws whatever ended the watch.
   */
  async settle(): Promise<Finding[]> {
    const { findings } = this.relay
    const count = findings.length
    const isSettled = async (): Promise<boolean> => {
      if (this.#failure !== undefined) throw this.#failure
      findings.length = count
      await compareWithHost(this.relay, this.#url)
      return findings.length === count
    }
    await until(isSettled, { what: 'the stream to say what the host answers', timeoutMs: settleMsMax }).catch(
      (error: unknown) => {
        if (findings.length === count) throw error
      },
    )
    return findings
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#connection(signal)
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, reconnectMs))
    }
  }

  async #connection(signal: AbortSignal): Promise<void> {
    const query = `cursor=${this.relay.lastSeq}`
    const socket = new WebSocket(
      `${this.#url.replace(/^http/, 'ws')}/xrpc/com.atproto.sync.subscribeRepos?${query}`,
    )
    const stop = (): void => socket.terminate()
    signal.addEventListener('abort', stop)
    let checked = Promise.resolve()
    let waiting = 0
    socket.on('message', (frame: Buffer) => {
      waiting++
      if (waiting === waitingFramesMax) socket.pause()
      checked = checked.then(async () => {
        await this.relay.accept(frame)
        waiting--
        if (waiting === 0) socket.resume()
      })
      // It is awaited below; until then a failure is not a surprise.
      checked.catch(stop)
    })
    socket.on('error', () => {})
    await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    signal.removeEventListener('abort', stop)
    await checked
  }
}
