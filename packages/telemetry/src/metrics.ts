import { Counter, Gauge, type Metric, Registry, collectDefaultMetrics } from 'prom-client'

import {
  type LabelsOf,
  type MetricDefinition,
  type MetricName,
  type MetricOf,
  catalogue,
} from './catalogue.ts'
import { ByLabels, TallyHistogram } from './tallies.ts'

/** How often the delay of the event loop is sampled, in milliseconds: each sample wakes an idle process up. */
const eventLoopSampleMs = 100

/** What a reader returns: a value, or one for each set of labels. */
export type Reading<N extends MetricName> = number | Iterable<readonly [LabelsOf<N>, number]>

type Reader = () => Reading<MetricName>

/**
 * The metrics of this process, as Prometheus reads them; `catalogue` lists them. What is counted where it happens is a
 * number in memory. What is read when somebody scrapes is at hand by then: a reader neither waits nor asks anybody.
 */
class Metrics {
  /** The registry that holds them, for who sends them on. */
  readonly registry = new Registry()
  readonly #readers = new Map<string, Set<Reader>>()
  readonly #counters = new Map<string, ByLabels<{ value: number }>>()
  readonly #histograms = new Map<string, TallyHistogram>()

  constructor() {
    for (const [name, definition] of Object.entries<MetricDefinition>(catalogue))
      this.#register(name, definition)
  }

  /** Says which kind of process this is, a label of every metric, and begins to measure the process itself. */
  start(role: string): void {
    this.registry.setDefaultLabels({ role })
    collectDefaultMetrics({
      register: this.registry,
      prefix: 'rookery_',
      eventLoopMonitoringPrecision: eventLoopSampleMs,
    })
  }

  /** Adds to a counter. One that is rare begins at 0, by an addition of nothing: a rise from nowhere is not seen. */
  add<N extends MetricOf<'counter'>>(name: N, labels: LabelsOf<N>, by = 1): void {
    if (!(by >= 0 && Number.isFinite(by))) throw new TypeError(`${name} can not grow by ${by}`)
    const counter = this.#counters.get(name)
    if (counter !== undefined) counter.of(labels).value += by
  }

  /** Adds a value to a histogram, in its unit. */
  observe<N extends MetricOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void {
    this.#histograms.get(name)?.observe(labels, value)
  }

  /**
   * Reads a gauge or a counter whenever somebody scrapes, until the result is disposed of. Where several readers tell
   * of the same labels, their sum counts.
   */
  read<N extends MetricOf<'gauge' | 'counter'>>(name: N, read: () => Reading<N>): Disposable {
    const readers = this.#readers.get(name) ?? new Set()
    this.#readers.set(name, readers.add(read as Reader))
    return { [Symbol.dispose]: () => void readers.delete(read as Reader) }
  }

  /** Returns the metrics page. */
  page(): Promise<string> {
    return this.registry.metrics()
  }

  #register(name: string, { type, help, labels, buckets = [] }: MetricDefinition): void {
    const common = { name, help, labelNames: Object.keys(labels), registers: [this.registry] }
    if (type === 'histogram') {
      const histogram = new TallyHistogram({ name, help, labelNames: common.labelNames, buckets })
      this.#histograms.set(name, histogram)
      // A registry asks its metrics for no more than this one has.
      this.registry.registerMetric(histogram as unknown as Metric)
      return
    }
    if (type === 'gauge') {
      const gauge: Gauge = new Gauge({ ...common, collect: () => this.#read(gauge, name) })
      if (common.labelNames.length === 0) gauge.remove()
      return
    }
    const counts = new ByLabels(common.labelNames, () => ({ value: 0 }))
    this.#counters.set(name, counts)
    const counter: Counter = new Counter({
      ...common,
      collect: () => {
        if (this.#readers.has(name)) return this.#read(counter, name)
        counter.reset()
        for (const [of, { value }] of counts) counter.inc(of, value)
      },
    })
  }

  #read(metric: Counter | Gauge, name: string): void {
    const readers = this.#readers.get(name)
    if (readers === undefined) return
    metric.reset()
    // The library begins those without labels at 0; what no reader tells of is not there.
    if (Object.keys(catalogue[name as MetricName].labels).length === 0) metric.remove()
    for (const read of readers) {
      const reading = read()
      for (const [of, value] of typeof reading === 'number' ? [[{}, reading] as const] : reading) {
        metric.inc(of, value)
      }
    }
  }
}

/** The metrics of this process: like its log, there is one for all of it. */
export const metrics = new Metrics()
