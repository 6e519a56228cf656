/** Is thrown when a benchmark cannot be set up or measured; the message says what failed and what to do. */
export class BenchError extends Error {
  override readonly name = 'BenchError'
}
