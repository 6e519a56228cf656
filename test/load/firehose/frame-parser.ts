/** What the parser tells of a stream of WebSocket frames from a server. */
export type FrameHandlers = {
  /** A message has ended. `payload` is there only if the parser was told to keep payloads. */
  onMessage: (payload: Buffer | undefined) => void
  onPing: (payload: Buffer) => void
  onClose: () => void
}

const opcodeClose = 8
const opcodePing = 9

/**
 * Splits what arrives on an upgraded connection into WebSocket frames and skips their payloads, so that a thousand
 * subscribers cost less than the server that feeds them. Frames of a server are never masked.
 */
export class FrameParser {
  readonly #handlers: FrameHandlers
  readonly #keeps: boolean
  /** The start of a header whose rest has not arrived. */
  #rest: Buffer | undefined
  /** Bytes of the current payload that are still to come. */
  #left = 0
  #opcode = 0
  #isFinal = false
  #parts: Buffer[] = []

  constructor(keepsPayloads: boolean, handlers: FrameHandlers) {
    this.#keeps = keepsPayloads
    this.#handlers = handlers
  }

  take(chunk: Buffer): void {
    let data = chunk
    if (this.#rest !== undefined) {
      data = Buffer.concat([this.#rest, chunk])
      this.#rest = undefined
    }
    let at = 0
    for (;;) {
      if (this.#left > 0) at = this.#takePayload(data, at)
      if (this.#left > 0 || at === data.length) return
      const next = this.#takeHeader(data, at)
      if (next < 0) {
        this.#rest = data.subarray(at)
        return
      }
      at = next
      if (this.#left === 0) this.#endFrame()
    }
  }

  #takePayload(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.#left)
    if (this.#keeps || this.#opcode >= opcodeClose) this.#parts.push(data.subarray(at, end))
    this.#left -= end - at
    if (this.#left === 0) this.#endFrame()
    return end
  }

  /** Returns where the payload begins, or -1 if the header is not complete. */
  #takeHeader(data: Buffer, at: number): number {
    if (data.length - at < 2) return -1
    const first = data.readUInt8(at)
    const short = data.readUInt8(at + 1) & 0x7f
    const headerBytes = short === 127 ? 10 : short === 126 ? 4 : 2
    if (data.length - at < headerBytes) return -1
    this.#isFinal = (first & 0x80) !== 0
    this.#opcode = first & 0x0f
    if (short === 127) this.#left = Number(data.readBigUInt64BE(at + 2))
    else this.#left = short === 126 ? data.readUInt16BE(at + 2) : short
    return at + headerBytes
  }

  #endFrame(): void {
    if (this.#opcode < opcodeClose && !this.#isFinal) return
    const parts = this.#parts
    this.#parts = []
    if (this.#opcode === opcodePing) this.#handlers.onPing(Buffer.concat(parts))
    else if (this.#opcode === opcodeClose) this.#handlers.onClose()
    else if (this.#opcode < opcodeClose) {
      this.#handlers.onMessage(this.#keeps ? Buffer.concat(parts) : undefined)
    }
  }
}
