import { type Hash, createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'

import { S3Error } from './s3-error.ts'

const chunkLineBytesMax = 4_096

/**
 * Yields the bytes that a request stores, taken out of aws-chunked framing where there is one. Throws at the end
 * if they are not what the request promised: its signed hash, its MD5, its length, or a checksum in a header or
 * trailer. What was written by then must be thrown away.
 *
 * @throws {S3Error}
 */
export async function* readPayload(request: IncomingMessage): AsyncGenerator<Buffer> {
  const { headers } = request
  const mode = text(headers, 'x-amz-content-sha256')
  const trailers: Record<string, string> = {}
  const checks = new Checks(headers)
  for await (const chunk of body(request, mode, trailers)) {
    checks.update(chunk)
    yield chunk
  }
  if (/^[0-9a-f]{64}$/.test(mode)) checks.requireHex('sha256', mode, 'XAmzContentSHA256Mismatch')
  const md5 = text(headers, 'content-md5')
  if (md5 !== '') checks.require('md5', md5, 'BadDigest')
  checks.requireLength(text(headers, 'x-amz-decoded-content-length'))
  for (const name of [...checksumHeaders(headers), ...Object.keys(trailers)]) {
    const algorithm = name.replace('x-amz-checksum-', '')
    checks.require(algorithm, trailers[name] ?? text(headers, name), 'BadDigest')
  }
}

/** Reads a small payload, such as the XML of DeleteObjects, whole. */
export async function readTextPayload(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of readPayload(request)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function* body(
  request: IncomingMessage,
  mode: string,
  trailers: Record<string, string>,
): AsyncGenerator<Buffer> {
  const source: AsyncIterable<Buffer> = request
  if (mode === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    yield* unframe(source, trailers)
  } else if (mode.startsWith('STREAMING-')) {
    throw new S3Error(501, 'NotImplemented', `Payloads of kind ${mode} are not supported.`)
  } else {
    yield* source
  }
}

/** aws-chunked: `<size in hex>\r\n<bytes>\r\n` … `0\r\n`, then `name:value\r\n` trailers and an empty line. */
async function* unframe(
  source: AsyncIterable<Buffer>,
  trailers: Record<string, string>,
): AsyncGenerator<Buffer> {
  const reader = new Reader(source)
  for (;;) {
    const [digits = ''] = (await reader.line()).split(';')
    if (!/^[0-9a-f]{1,8}$/i.test(digits)) throw incomplete('a chunk has no size')
    const size = parseInt(digits, 16)
    if (size === 0) break
    yield* reader.take(size)
    if ((await reader.line()) !== '') throw incomplete('a chunk is longer than its size')
  }
  for (;;) {
    const line = await reader.line()
    if (line === '') return
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    if (name.startsWith('x-amz-checksum-')) trailers[name] = line.slice(colon + 1).trim()
  }
}

class Reader {
  readonly #source: AsyncIterator<Buffer>
  #buffer: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#buffer.subarray(0, end).toString()
        this.#buffer = this.#buffer.subarray(end + 2)
        return line
      }
      if (this.#buffer.length > chunkLineBytesMax) throw incomplete('a line of the framing is too long')
      this.#buffer = Buffer.concat([this.#buffer, await this.#more()])
    }
  }

  async *take(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0;) {
      if (this.#buffer.length === 0) this.#buffer = await this.#more()
      const chunk = this.#buffer.subarray(0, left)
      this.#buffer = this.#buffer.subarray(chunk.length)
      left -= chunk.length
      yield chunk
    }
  }

  async #more(): Promise<Buffer> {
    const next = await this.#source.next()
    if (next.done) throw incomplete('the body ends too early')
    return next.value
  }
}

/** Digests of the payload, made while it passes. */
class Checks {
  readonly #hashes = new Map<string, Hash>()
  readonly #digests = new Map<string, Buffer>()
  #crc = 0
  #length = 0

  constructor(headers: IncomingHttpHeaders) {
    // Only what the request announces: each digest costs about as much as the rest of the request.
    const announced = [...checksumHeaders(headers), text(headers, 'x-amz-trailer')].join(',')
    for (const name of ['md5', 'sha1', 'sha256']) {
      const isSigned = name === 'sha256' && /^[0-9a-f]{64}$/.test(text(headers, 'x-amz-content-sha256'))
      const isMd5 = name === 'md5' && headers['content-md5'] !== undefined
      if (isSigned || isMd5 || announced.includes(name)) this.#hashes.set(name, createHash(name))
    }
  }

  update(chunk: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(chunk)
    this.#crc = crc32(chunk, this.#crc)
    this.#length += chunk.length
  }

  requireLength(declared: string): void {
    if (declared !== '' && Number(declared) !== this.#length)
      throw incomplete('the length is not as declared')
  }

  requireHex(algorithm: string, expected: string, code: string): void {
    this.require(algorithm, Buffer.from(expected, 'hex').toString('base64'), code)
  }

  require(algorithm: string, expected: string, code: string): void {
    if (this.#digest(algorithm).toString('base64') !== expected) {
      throw new S3Error(400, code, `The ${algorithm} of the body is not the one given.`)
    }
  }

  #digest(algorithm: string): Buffer {
    if (algorithm === 'crc32') {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(this.#crc)
      return bytes
    }
    const known = this.#digests.get(algorithm)
    if (known) return known
    const digest = this.#hashes.get(algorithm)?.digest()
    if (!digest) throw new S3Error(501, 'NotImplemented', `Checksums by ${algorithm} are not supported.`)
    this.#digests.set(algorithm, digest)
    return digest
  }
}

function checksumHeaders(headers: IncomingHttpHeaders): string[] {
  return Object.keys(headers).filter((name) => /^x-amz-checksum-(crc|sha)/.test(name))
}

function text(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

function incomplete(reason: string): S3Error {
  return new S3Error(400, 'IncompleteBody', `The body is malformed: ${reason}.`)
}
