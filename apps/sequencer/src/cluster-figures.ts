import { type AccountFigures, readAccountFigures } from '@rookery/accounts/figures'
import type { Database } from '@rookery/db'
import { type EventFigures, readEventFigures } from '@rookery/events'
import { type JobFigure, readJobFigures } from '@rookery/jobs/figures'
import { listTenantBlobBytes } from '@rookery/records/usage'
import { Loop, minuteMs, secondMs } from '@rookery/std'
import { type Logger, largest, metrics } from '@rookery/telemetry'

/** How often queues are looked at, and how often accounts and bytes are counted, in milliseconds. */
const queuesEveryMs = 10 * secondMs
const usageEveryMs = 5 * minuteMs

/** Tenants, and hosts, that have a label of their own. */
const labelsMax = 50

export type ClusterFiguresOptions = {
  log: Logger
  pool: Database['pool']
  /** Returns the id up to which the event queue is empty; undefined while another process leads. */
  queueFloorId: () => number | undefined
  /** How long the event log keeps events, in milliseconds. */
  retentionMs: number
}

type Queues = { events: EventFigures; jobs: JobFigure[] }
type Usage = { accounts: AccountFigures; blobBytes: Map<string, number> }

/**
 * Looks, while this process leads, at what is the whole cluster's: queues, the event log, and what tenants and hosts
 * have. Whoever scrapes is told what was seen last. A process that leads no more, or sees nothing, tells nothing.
 */
export class ClusterFigures implements AsyncDisposable {
  readonly #options: ClusterFiguresOptions
  readonly #loop: Loop
  readonly #metrics = new DisposableStack()
  #seenQueues: Queues | undefined
  #seenUsage: Usage | undefined
  #usageDueMs = 0
  /** The oldest event without a seq, and since when it has been seen. */
  #oldest: { id: number; sinceMs: number } | undefined

  constructor(options: ClusterFiguresOptions) {
    this.#options = options
    this.#tellQueues()
    this.#tellUsage()
    this.#loop = new Loop({
      step: () => this.#look(),
      onError: (error) => {
        this.#forget()
        options.log.warn({ err: error }, 'could not read the figures of the cluster')
      },
      backoffMsMin: secondMs,
      backoffMsMax: queuesEveryMs,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#metrics.dispose()
    await this.#loop[Symbol.asyncDispose]()
  }

  async #look(): Promise<number> {
    const { pool, queueFloorId } = this.#options
    const afterId = queueFloorId()
    if (afterId === undefined) {
      this.#forget()
      return secondMs
    }
    const events = await readEventFigures(pool, afterId)
    this.#seenQueues = { events, jobs: await readJobFigures(pool) }
    const { oldestId } = events
    if (oldestId === undefined) this.#oldest = undefined
    else if (this.#oldest?.id !== oldestId) this.#oldest = { id: oldestId, sinceMs: performance.now() }
    if (performance.now() >= this.#usageDueMs) {
      this.#seenUsage = {
        accounts: await readAccountFigures(pool),
        blobBytes: await listTenantBlobBytes(pool),
      }
      this.#usageDueMs = performance.now() + usageEveryMs
    }
    return queuesEveryMs
  }

  #forget(): void {
    this.#seenQueues = undefined
    this.#seenUsage = undefined
    this.#usageDueMs = 0
    this.#oldest = undefined
  }

  #tellQueues(): void {
    const events = (read: (figures: EventFigures) => number) => (): number | [] =>
      this.#queues === undefined ? [] : read(this.#queues.events)
    const overdueSeconds = ({ oldestEnd }: EventFigures): number =>
      oldestEnd === undefined
        ? 0
        : Math.max(0, (Date.now() - this.#options.retentionMs) / 1_000 - oldestEnd / 1e6)
    for (const reader of [
      metrics.read(
        'rookery_event_queue_events',
        events(({ queuedEvents }) => queuedEvents),
      ),
      metrics.read(
        'rookery_event_queue_oldest_seconds',
        events(() => (this.#oldest === undefined ? 0 : (performance.now() - this.#oldest.sinceMs) / 1_000)),
      ),
      metrics.read(
        'rookery_event_log_bytes',
        events(({ logBytes }) => logBytes),
      ),
      metrics.read('rookery_event_log_overdue_seconds', events(overdueSeconds)),
      metrics.read('rookery_jobs', () => this.#jobs().map(({ count, ...of }) => [labels(of), count])),
      metrics.read('rookery_jobs_oldest_seconds', () =>
        this.#jobs()
          .filter(({ state }) => state !== 'dead')
          .map(({ oldestSeconds, ...of }) => [labels(of), oldestSeconds]),
      ),
    ]) {
      this.#metrics.use(reader)
    }
  }

  /** What was seen, unless another process has taken the lead since. */
  get #queues(): Queues | undefined {
    return this.#options.queueFloorId() === undefined ? undefined : this.#seenQueues
  }

  get #usage(): Usage | undefined {
    return this.#options.queueFloorId() === undefined ? undefined : this.#seenUsage
  }

  #jobs(): JobFigure[] {
    return this.#queues?.jobs ?? []
  }

  #tellUsage(): void {
    const byTenant = (values: Map<string, number> | undefined): [{ tenant: string }, number][] =>
      largest(values ?? [], labelsMax).map(([tenant, value]) => [{ tenant }, value])
    const byHost = (values: Map<string, number> | undefined): [{ host: string }, number][] =>
      largest(values ?? [], labelsMax).map(([host, value]) => [{ host }, value])
    this.#metrics.use(metrics.read('rookery_tenant_accounts', () => byTenant(this.#usage?.accounts.tenant)))
    this.#metrics.use(metrics.read('rookery_tenant_blob_bytes', () => byTenant(this.#usage?.blobBytes)))
    this.#metrics.use(metrics.read('rookery_host_accounts', () => byHost(this.#usage?.accounts.host)))
  }
}

function labels({ queue, state }: Pick<JobFigure, 'queue' | 'state'>): { queue: string; state: string } {
  return { queue, state }
}
