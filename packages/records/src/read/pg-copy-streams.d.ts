/** The package has no types of its own; this is what Rookery uses of it. */
declare module 'pg-copy-streams' {
  import type { Readable, Writable } from 'node:stream'

  /** Hands a query to the client that runs it. */
  type Submittable = { submit(connection: unknown): void }

  /** A COPY … TO STDOUT: yields the copied bytes. */
  export function to(text: string): Readable & Submittable

  /** A COPY … FROM STDIN: takes the bytes to copy. */
  export function from(text: string): Writable & Submittable
}
