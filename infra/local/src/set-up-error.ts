/** Is thrown when a part of the local set-up cannot be brought up; the message says what failed and what to do. */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
