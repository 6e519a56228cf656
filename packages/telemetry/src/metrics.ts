import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** How often the delay of the event loop is sampled, in milliseconds: each sample wakes an idle process up. */
const eventLoopSampleMs = 100

/** The metrics of a process, as Prometheus reads them. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requestSeconds: Histogram<'method' | 'status'>
  readonly #errors: Counter<'method' | 'error'>
  readonly #mails: Counter<'template' | 'state'>

  /** @param role which kind of process this is; a label of every metric. */
  constructor(role: string) {
    this.#registry.setDefaultLabels({ role })
    collectDefaultMetrics({
      register: this.#registry,
      prefix: 'rookery_',
      eventLoopMonitoringPrecision: eventLoopSampleMs,
    })
    this.#requestSeconds = new Histogram({
      name: 'rookery_http_request_seconds',
      help: 'Time from a request to the end of its answer.',
      labelNames: ['method', 'status'],
      // From a cached read to a large export.
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [this.#registry],
    })
    this.#errors = new Counter({
      name: 'rookery_http_errors_total',
      help: 'Answers that are errors, by the name in their body.',
      labelNames: ['method', 'error'],
      registers: [this.#registry],
    })
    this.#mails = new Counter({
      name: 'rookery_mail_total',
      help: 'Attempts to send a mail, by template and what became of it.',
      labelNames: ['template', 'state'],
      registers: [this.#registry],
    })
  }

  /** Counts an attempt to send a mail, by what became of it. */
  mailEnded(template: string, state: string): void {
    this.#mails.inc({ template, state })
  }

  /**
   * Counts an answered request.
   *
   * @param method the route, never the raw path: labels must be few.
   * @param seconds time that it took.
   */
  requestEnded(method: string, status: number, seconds: number): void {
    this.#requestSeconds.observe({ method, status: String(status) }, seconds)
  }

  /** Counts an answer that is an error. */
  requestFailed(method: string, error: string): void {
    this.#errors.inc({ method, error })
  }

  /** Returns the metrics page. */
  page(): Promise<string> {
    return this.#registry.metrics()
  }
}
