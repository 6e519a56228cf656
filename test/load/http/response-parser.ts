/** Reads one HTTP/1.1 answer out of chunks: its status, how many bytes its body has, and the first of them. */
export class ResponseParser {
  status = 0
  /** Bytes of the body so far. */
  bytes = 0
  isDone = false
  /** Whether the server ends the connection after this answer. */
  closes = false
  readonly #keptBytesMax: number
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #head: Buffer | undefined
  /** Bytes of the body, or of the current chunk with its line end, that are still to come. */
  #left = 0
  #isChunked = false
  /** Bytes at the end of a chunk that are not of the body. */
  #sizeLine = ''
  #inChunk = false
  #hasHead = false

  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax
  }

  /** The bytes that were kept. */
  body(): Buffer {
    return this.#kept.length === 1 && this.#kept[0] !== undefined ? this.#kept[0] : Buffer.concat(this.#kept)
  }

  take(chunk: Buffer): void {
    if (this.#hasHead) return this.#takeBody(chunk)
    const data = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk])
    const end = data.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#head = data
      return
    }
    this.#head = undefined
    this.#readHead(data.toString('latin1', 0, end + 2))
    const rest = data.subarray(end + 4)
    if (this.status < 200) {
      // An interim answer: the real one follows.
      this.#hasHead = false
      if (rest.length > 0) this.take(rest)
    } else if (this.#isChunked || this.#left > 0) this.#takeBody(rest)
    else this.isDone = true
  }

  #readHead(head: string): void {
    this.#hasHead = true
    this.status = Number(head.slice(9, 12))
    this.#left = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    this.#isChunked = /^transfer-encoding: *chunked/im.test(head)
    this.closes = /^connection: *close/im.test(head)
  }

  #takeBody(data: Buffer): void {
    if (this.#isChunked) return this.#takeChunks(data)
    this.#keep(data)
    this.#left -= data.length
    this.isDone = this.#left <= 0
  }

  #takeChunks(data: Buffer): void {
    let at = 0
    while (at < data.length && !this.isDone) {
      if (!this.#inChunk) at = this.#readSizeLine(data, at)
      else at = this.#readChunk(data, at)
    }
  }

  /** Collects the line with a chunk's size; a size of 0 is the end, whose empty line comes with it. */
  #readSizeLine(data: Buffer, at: number): number {
    const end = data.indexOf(10, at)
    this.#sizeLine += data.toString('latin1', at, end < 0 ? data.length : end + 1)
    if (end < 0) return data.length
    const line = this.#sizeLine
    const size = Number.parseInt(line, 16)
    if (size === 0) {
      if (line.endsWith('\n\r\n') || line.endsWith('\n\n')) this.isDone = true
      return end + 1
    }
    this.#sizeLine = ''
    this.#left = size + 2
    this.#inChunk = true
    return end + 1
  }

  #readChunk(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.#left)
    const bodyEnd = Math.min(end, at + Math.max(0, this.#left - 2))
    if (bodyEnd > at) this.#keep(data.subarray(at, bodyEnd))
    this.#left -= end - at
    if (this.#left === 0) this.#inChunk = false
    return end
  }

  #keep(data: Buffer): void {
    this.bytes += data.length
    const room = this.#keptBytesMax - this.#keptBytes
    if (room <= 0) return
    const part = data.length <= room ? data : data.subarray(0, room)
    this.#kept.push(part)
    this.#keptBytes += part.length
  }
}
