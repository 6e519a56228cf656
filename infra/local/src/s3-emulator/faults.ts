/** What the emulator calls the requests it serves. */
export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteBucket'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'PutObject'
  | 'UploadPart'

/** A way to misbehave. */
export type S3Fault = {
  /** Only these requests; all if left out. */
  operation?: S3Operation
  /** How many requests it strikes; without end if left out. */
  times?: number
} & (
  | { /** Closes the connection without an answer. */ kind: 'refuse' }
  | { /** Answers with an error. */ kind: 'error'; status: number; code: string }
  | { /** Waits before it begins. */ kind: 'slow'; delayMs: number }
  | { /** Closes the connection in the middle of the answer's body. */ kind: 'drop'; afterBytes: number }
)

/** The faults in force; the oldest that applies to a request strikes. */
export class Faults {
  readonly #active = new Set<S3Fault & { left: number }>()

  /** Adds a fault, in force until the result is disposed of or its times are used up. */
  inject(fault: S3Fault): Disposable {
    const entry = { ...fault, left: fault.times ?? Infinity }
    this.#active.add(entry)
    return {
      [Symbol.dispose]: () => {
        this.#active.delete(entry)
      },
    }
  }

  /** Returns the fault that strikes this request, and counts it. */
  take(operation: S3Operation): S3Fault | undefined {
    for (const fault of this.#active) {
      if (fault.operation !== undefined && fault.operation !== operation) continue
      if (--fault.left <= 0) this.#active.delete(fault)
      return fault
    }
    return undefined
  }
}
