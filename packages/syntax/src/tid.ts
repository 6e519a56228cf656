/** A timestamp identifier: 13 characters, sorted by time (SPEC ID-1…4). */
export type Tid = string & { readonly __brand?: 'Tid' }

const alphabet = '234567abcdefghijklmnopqrstuvwxyz'
const tidPattern = /^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$/

/** Tells whether the text is a TID. */
export function isTid(text: string): text is Tid {
  return tidPattern.test(text)
}

/**
 * Returns the TID of an instant.
 *
 * @param micros microseconds since the Unix epoch, below 2^53.
 * @param clockId 0 to 1023: keeps processes that share an instant apart.
 */
export function tidFrom(micros: number, clockId: number): Tid {
  // 53 bits of time and 10 of clock id are 13 digits of 5 bits; the time's lowest 5-bit groups do not line up
  // with the digits, so the two halves are split where both stay below 2^53.
  const high = Math.floor(micros / 2 ** 15)
  const low = (micros % 2 ** 15) * 1024 + clockId
  return digits(high, 8) + digits(low, 5)
}

/** Returns the microseconds since the Unix epoch that a TID names. */
export function tidMicros(tid: Tid): number {
  return number(tid.slice(0, 8)) * 2 ** 15 + Math.floor(number(tid.slice(8)) / 1024)
}

/** Returns the least TID above the given one: the next number, clock id and all. */
export function tidAfter(tid: Tid): Tid {
  const low = number(tid.slice(8)) + 1
  return low < 2 ** 25 ? tid.slice(0, 8) + digits(low, 5) : digits(number(tid.slice(0, 8)) + 1, 8) + '22222'
}

/** Makes TIDs that never repeat or go back within the process, whatever its clock does. */
export class TidClock {
  readonly #nowMicros: () => number
  readonly #clockId: number
  #last = 0

  /**
   * @param nowMicros the clock, in microseconds since the Unix epoch.
   * @param clockId 0 to 1023, random per process.
   */
  constructor(nowMicros: () => number, clockId: number) {
    this.#nowMicros = nowMicros
    this.#clockId = clockId
  }

  /** Returns a new TID, above every earlier one of this clock and above `previous` if given (SPEC REP-3). */
  next(previous?: Tid): Tid {
    this.#last = Math.max(this.#nowMicros(), this.#last + 1)
    const tid = tidFrom(this.#last, this.#clockId)
    return previous !== undefined && tid <= previous ? tidAfter(previous) : tid
  }
}

function digits(value: number, count: number): string {
  let out = ''
  for (let i = 0; i < count; i++) {
    out = alphabet[value % 32] + out
    value = Math.floor(value / 32)
  }
  return out
}

function number(text: string): number {
  let value = 0
  for (const char of text) value = value * 32 + alphabet.indexOf(char)
  return value
}
