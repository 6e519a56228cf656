/** What a file in the format begins with: its signature, no flags, no extension. */
export const copyHeader: Buffer = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex')

/** What a file in the format ends with. */
export const copyTrailer: Buffer = Buffer.from('ffff', 'hex')

/** Rows in PostgreSQL's binary COPY format, gathered in one buffer. */
export class CopyRows {
  #buffer: Buffer
  #at = 0

  /** @param bytes size to begin with; it grows as rows need. */
  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(bytes)
  }

  /** Bytes so far. */
  get size(): number {
    return this.#at
  }

  /** Adds a row; texts become their UTF-8, which every text column takes. */
  add(fields: readonly (Uint8Array | string | null)[]): void {
    let size = 2
    for (const field of fields) size += 4 + maxBytes(field)
    this.#reserve(size)
    this.#at = this.#buffer.writeInt16BE(fields.length, this.#at)
    for (const field of fields) this.#addField(field)
  }

  /** Returns what was gathered and begins anew. */
  take(): Buffer {
    const rows = this.#buffer.subarray(0, this.#at)
    this.#buffer = Buffer.allocUnsafe(this.#buffer.length)
    this.#at = 0
    return rows
  }

  #addField(field: Uint8Array | string | null): void {
    const start = this.#at + 4
    let length = -1
    if (typeof field === 'string') length = this.#buffer.write(field, start)
    else if (field !== null) {
      this.#buffer.set(field, start)
      length = field.length
    }
    this.#buffer.writeInt32BE(length, this.#at)
    this.#at = start + Math.max(0, length)
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#at + size, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
  }
}

function maxBytes(field: Uint8Array | string | null): number {
  if (field === null) return 0
  // No character of UTF-16 takes more than three bytes.
  return typeof field === 'string' ? field.length * 3 : field.length
}
