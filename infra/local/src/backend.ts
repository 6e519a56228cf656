import { Agent, get } from 'node:http'

/** A process of a serving role, as the load balancer sees it. */
export type Backend = {
  readonly role: string
  /** Port of 127.0.0.1 that it serves on. */
  readonly port: number
  /** Port of /readyz. */
  readonly internalPort: number
  /** Whether its last answer on /readyz was 200. */
  isReady: boolean
}

/** How often /readyz is asked and how long it may take, in milliseconds. */
const probeIntervalMs = 1_000
const probeTimeoutMs = 1_500

/** Keeps `isReady` of every backend current until disposed; the list may change meanwhile. */
export class ReadinessProbe implements Disposable {
  readonly #backends: readonly Backend[]
  /** A new connection for each question would cost an idle process most of its time. */
  readonly #agent = new Agent({ keepAlive: true })
  readonly #timer: NodeJS.Timeout
  #isProbing = false

  constructor(backends: readonly Backend[]) {
    this.#backends = backends
    this.#timer = setInterval(() => void this.probe(), probeIntervalMs)
  }

  /** Asks all of them once; a call while one is under way does nothing. */
  async probe(): Promise<void> {
    if (this.#isProbing) return
    this.#isProbing = true
    await Promise.all(
      this.#backends.map(async (backend) => {
        backend.isReady = await answersReady(this.#agent, backend.internalPort)
      }),
    )
    this.#isProbing = false
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#agent.destroy()
  }
}

/** Whether /readyz of the port answers 200 in time. */
function answersReady(agent: Agent, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port, path: '/readyz', agent, timeout: probeTimeoutMs },
      (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
    request.on('close', () => resolve(false))
  })
}
