import type { MetricObjectWithValues, MetricValueWithName } from 'prom-client'

type Labels = Readonly<Record<string, string>>
type Value = MetricValueWithName<string>

/** Where the values of labels lead, one after the other; `item` is at the end of them. */
type Branch<T> = { readonly next: Map<string, Branch<T>>; item: T | undefined }

/**
 * Something for each set of labels, found by walking along their values. The library's counters and histograms put a
 * key together, check it and look it up as a property for each count, which is a microsecond: more than much of what is counted.
 */
export class ByLabels<T> {
  readonly #names: readonly string[]
  readonly #make: () => T
  readonly #root: Branch<T> = { next: new Map(), item: undefined }
  readonly #all: [labels: Labels, item: T][] = []

  /** @param make makes what a new set of labels begins with. */
  constructor(names: readonly string[], make: () => T) {
    this.#names = names
    this.#make = make
  }

  /** Returns what is kept for the labels, made anew if they were not seen before. */
  of(labels: Labels): T {
    let branch = this.#root
    for (const name of this.#names) {
      const value = labels[name] ?? ''
      let next = branch.next.get(value)
      if (next === undefined) {
        next = { next: new Map(), item: undefined }
        branch.next.set(value, next)
      }
      branch = next
    }
    return (branch.item ??= this.#add(labels))
  }

  /** Yields each set of labels that was seen. */
  [Symbol.iterator](): Iterator<readonly [Labels, T]> {
    return this.#all.values()
  }

  #add(labels: Labels): T {
    const item = this.#make()
    this.#all.push([{ ...labels }, item])
    return item
  }
}

type Tally = { readonly counts: number[]; sum: number; count: number }

/** A histogram, in the form in which a registry of the library asks for it. */
export class TallyHistogram {
  readonly name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  readonly #tallies: ByLabels<Tally>

  /** @param options.buckets upper bounds, rising. */
  constructor(options: { name: string; help: string; labelNames: string[]; buckets: readonly number[] }) {
    const { name, help, labelNames, buckets } = options
    this.name = name
    this.#help = help
    this.#bounds = buckets
    this.#tallies = new ByLabels(labelNames, () => ({ counts: buckets.map(() => 0), sum: 0, count: 0 }))
    // One without labels is there from the start.
    if (labelNames.length === 0) this.#tallies.of({})
  }

  /**
   * Counts a value.
   *
   * @throws {TypeError} if it is no finite number: one such value would spoil the sum for good.
   */
  observe(labels: Labels, value: number): void {
    if (!Number.isFinite(value)) throw new TypeError(`${this.name}: ${value} is no finite number`)
    const tally = this.#tallies.of(labels)
    tally.sum += value
    tally.count++
    const bounds = this.#bounds
    for (let i = 0; i < bounds.length; i++) {
      if (value > (bounds[i] as number)) continue
      ;(tally.counts[i] as number)++
      return
    }
  }

  /** Returns what was counted, as the library's own histograms tell it: each bucket has what is at most its bound. */
  get(): Promise<Omit<MetricObjectWithValues<Value>, 'collect'>> {
    const values = [...this.#tallies].flatMap(([labels, tally]) => this.#values(labels, tally))
    // The library types the name of the type as a number.
    const type = 'histogram' as unknown as MetricObjectWithValues<Value>['type']
    return Promise.resolve({ name: this.name, help: this.#help, type, aggregator: 'sum', values })
  }

  #values(labels: Labels, { counts, sum, count }: Tally): Value[] {
    let below = 0
    const bucket = (le: number | string, value: number): Value => ({
      metricName: `${this.name}_bucket`,
      labels: { le, ...labels },
      value,
    })
    return [
      ...this.#bounds.map((bound, i) => bucket(bound, (below += counts[i] ?? 0))),
      bucket('+Inf', count),
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}
