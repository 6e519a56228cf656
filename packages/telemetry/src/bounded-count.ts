/** Counts by name for at most so many names; all others are counted together, as `other`. */
export class BoundedCount {
  readonly #namesMax: number
  readonly #counts = new Map<string, number>()

  /** @param namesMax names that are counted for themselves: the first to come. */
  constructor(namesMax: number) {
    this.#namesMax = namesMax
  }

  /** Counts one more. */
  add(name: string): void {
    const count = this.#counts.get(name)
    if (count !== undefined) this.#counts.set(name, count + 1)
    else if (this.#counts.size < this.#namesMax) this.#counts.set(name, 1)
    else this.#counts.set(other, (this.#counts.get(other) ?? 0) + 1)
  }

  /** Returns the counts by name. */
  [Symbol.iterator](): IterableIterator<[string, number]> {
    return this.#counts.entries()
  }
}

const other = 'other'

/** Returns the largest values by name, the sum of all others as `other`: for labels that must be few. */
export function largest(
  values: Iterable<readonly [name: string, value: number]>,
  namesMax: number,
): (readonly [string, number])[] {
  const sorted = [...values].sort(([, a], [, b]) => b - a)
  const rest = sorted.slice(namesMax)
  if (rest.length === 0) return sorted
  return [...sorted.slice(0, namesMax), [other, rest.reduce((sum, [, value]) => sum + value, 0)]]
}
