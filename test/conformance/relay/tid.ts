const digits = '234567abcdefghijklmnopqrstuvwxyz'
const clockIds = 1_024n

/** Returns the time in a TID, in milliseconds: microseconds above the ten bits of the clock's id, in base 32. */
export function tidMs(tid: string): number {
  return Number(valueOf(tid) / clockIds) / 1_000
}

/** Returns the TID that is so many milliseconds after another, which may be negative. */
export function tidAfter(tid: string, ms: number): string {
  let value = valueOf(tid) + BigInt(ms) * 1_000n * clockIds
  let text = ''
  for (; text.length < tid.length; value /= 32n) text = digits.charAt(Number(value % 32n)) + text
  return text
}

function valueOf(tid: string): bigint {
  return Array.from(tid).reduce((sum, digit) => sum * 32n + BigInt(digits.indexOf(digit)), 0n)
}
