/** Is thrown for a programmer's mistake: nothing catches it, the process ends and starts again. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * Returns if the condition holds.
 *
 * @throws {AssertionError} if it does not: a bug in this program, never bad input.
 * @example
 * assert(batch.length <= batchMax, 'the batch was cut before it came here')
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/**
 * Returns the value, known to be there.
 *
 * @throws {AssertionError} if it is null or undefined: a bug in this program, never bad input.
 * @example
 * const first = must(rows[0], 'the insert returns its row')
 */
export function must<T>(value: T | null | undefined, message = 'expected a value'): T {
  if (value === null || value === undefined) throw new AssertionError(message)
  return value
}
