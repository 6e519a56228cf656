import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

import { XrpcError } from '@rookery/http'

import type { UncheckedInput } from '../limits/page-charges.ts'

/** Largest body that the pages' script sends, in bytes: the provider takes no more either. */
const bodyBytesMax = 100 * 1_024

/**
 * Reads a request's body and returns what it says, nothing if that is no JSON, and a request that can be read again.
 *
 * @throws {XrpcError} 413 if it is too large.
 */
export async function readTwice(
  raw: IncomingMessage,
): Promise<{ input: UncheckedInput; again: IncomingMessage }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) throw new XrpcError(413, 'invalid_request', 'Payload too large')
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  const { method, url, headers, socket } = raw
  const again = Object.assign(Readable.from([body], { objectMode: false }), { method, url, headers, socket })
  return { input: parse(body), again: again as unknown as IncomingMessage }
}

function parse(body: Buffer): UncheckedInput {
  try {
    const parsed: unknown = JSON.parse(body.toString())
    return typeof parsed === 'object' && parsed !== null ? (parsed as UncheckedInput) : {}
  } catch {
    return {}
  }
}
