import { AtpAgent } from '@atproto/api'

/** A write that the server acknowledged: it must never be lost. */
export type Acknowledged = { did: string; uri: string; rkey: string; cid: string; rev: string; atMs: number }

/** Who writes how much, and where. */
export type WriterLoadOptions = {
  url: string
  accounts: number
  writesPerSecond: number
  /** Begins the handles. */
  name: string
  /** Whether a write that was answered 503 is tried once more, a second later. Default false. */
  retriesOn503?: boolean
}

const password = 'a long and quiet password'
const retryMs = 1_000
const requestMsMax = 15_000

/** Writes that are under way at once: 100 a second that take half a second each. */
const openMax = 50

/** How far a pace that the machine did not keep is made up for, in milliseconds. */
const arrearsMsMax = 1_000

/**
 * Writers that post through the load balancer, each to its own repo, and remember what was acknowledged. They do
 * not wait for answers to offer the next write, up to `openMax`; what a machine then lacks of the pace, the summary
 * tells. A write that fails may or may not have happened: it is counted and not tried again, unless told so.
 */
export class WriterLoad implements AsyncDisposable {
  readonly acknowledged: Acknowledged[] = []
  /** Failures by status or kind. */
  readonly failures = new Map<string, number>()
  /** How many writes were begun. */
  offered = 0
  /** How many writes were tried once more. */
  retries = 0
  readonly #agents: AtpAgent[]
  readonly #url: string
  readonly #retriesOn503: boolean
  readonly #running: Promise<void>[]
  readonly #open = new Set<Promise<void>>()
  readonly #startedMs = performance.now()
  #stoppedMs: number | undefined

  private constructor({ url, writesPerSecond, retriesOn503 = false }: WriterLoadOptions, agents: AtpAgent[]) {
    this.#url = url
    this.#retriesOn503 = retriesOn503
    this.#agents = agents
    const intervalMs = (1_000 * agents.length) / writesPerSecond
    this.#running = agents.map((agent, n) => this.#write(agent, intervalMs, (intervalMs * n) / agents.length))
  }

  /** Signs accounts up and begins to write. */
  static async start(options: WriterLoadOptions): Promise<WriterLoad> {
    const { data } = await new AtpAgent({ service: options.url }).com.atproto.server.describeServer()
    const agents: AtpAgent[] = []
    for (let n = 0; n < options.accounts; n++) {
      const agent = new AtpAgent({ service: options.url })
      const name = `${options.name}${n}`
      await agent.createAccount({
        handle: `${name}${data.availableUserDomains[0]}`,
        email: `${name}@example.org`,
        password,
      })
      agents.push(agent)
    }
    return new WriterLoad(options, agents)
  }

  /** DIDs of the writers. */
  get dids(): string[] {
    return this.#agents.map((agent) => agent.assertDid)
  }

  /** Returns how many writes were offered and acknowledged, how fast, and what became of the others. */
  summary(): string {
    const seconds = ((this.#stoppedMs ?? performance.now()) - this.#startedMs) / 1_000
    const rate = (count: number): string => `${count} (${(count / seconds).toFixed(1)} a second)`
    const failures = [...this.failures].map(([kind, count]) => `${count} × ${kind}`).join(', ')
    const counts = `${rate(this.offered)} writes offered, ${rate(this.acknowledged.length)} acknowledged, ${this.retries} tried again`
    return `${counts}; failed: ${failures || 'none'}`
  }

  /** Stops writing; resolves when the last answer is in. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stoppedMs ??= performance.now()
    await Promise.all(this.#running)
    await Promise.all(this.#open)
  }

  async #write(agent: AtpAgent, intervalMs: number, delayMs: number): Promise<void> {
    let dueMs = performance.now() + delayMs
    for (let n = 0; this.#stoppedMs === undefined; n++) {
      const waitMs = dueMs - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      while (this.#open.size >= openMax) await Promise.race(this.#open)
      dueMs = Math.max(dueMs + intervalMs, performance.now() - arrearsMsMax)
      this.offered++
      const post = this.#post(agent, n).finally(() => this.#open.delete(post))
      this.#open.add(post)
    }
  }

  async #post(agent: AtpAgent, n: number): Promise<void> {
    const record = { $type: 'app.bsky.feed.post', text: `post ${n}`, createdAt: new Date().toISOString() }
    try {
      let response = await this.#createRecord(agent, record)
      if (response.status === 503 && this.#retriesOn503) {
        await response.body?.cancel()
        this.retries++
        await new Promise((resolve) => setTimeout(resolve, retryMs))
        response = await this.#createRecord(agent, record)
      }
      const body = (await response.json()) as {
        uri: string
        cid: string
        commit: { rev: string }
        error?: string
      }
      if (!response.ok) return this.#fail(`${response.status} ${body.error}`)
      const rkey = body.uri.split('/').at(-1)!
      this.acknowledged.push({
        did: agent.assertDid,
        uri: body.uri,
        rkey,
        cid: body.cid,
        rev: body.commit.rev,
        atMs: Date.now(),
      })
    } catch (error) {
      this.#fail(error instanceof Error ? error.name : 'unknown')
    }
  }

  #createRecord(agent: AtpAgent, record: object): Promise<Response> {
    return fetch(`${this.#url}/xrpc/com.atproto.repo.createRecord`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${agent.session!.accessJwt}` },
      body: JSON.stringify({ repo: agent.assertDid, collection: 'app.bsky.feed.post', record }),
      signal: AbortSignal.timeout(requestMsMax),
    })
  }

  #fail(kind: string): void {
    this.failures.set(kind, (this.failures.get(kind) ?? 0) + 1)
  }
}
