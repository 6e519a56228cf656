import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import {
  type InputType,
  type ZlibOptions,
  brotliDecompress,
  gunzip,
  inflate,
  zstdDecompress,
} from 'node:zlib'

import { XrpcError } from '../xrpc-error.ts'

type Decode = (bytes: InputType, options: Pick<ZlibOptions, 'maxOutputLength'>) => Promise<Buffer>

const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
}

/**
 * Returns all bytes of a service's answer, as they came.
 *
 * @throws {XrpcError} 502 if there are more than `bytesMax`, or the service ends early.
 */
export async function readAnswer(body: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > bytesMax) throw new Error(`the answer has more than ${bytesMax} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    throw new XrpcError(502, 'UpstreamFailure', 'Upstream service unreachable', { cause })
  }
  return Buffer.concat(chunks, length)
}

/**
 * Returns the bytes without their Content-Encoding.
 *
 * @throws {XrpcError} 502 if the encoding is unknown or broken, or more than `bytesMax` would come out.
 */
export async function decodeAnswer(
  bytes: Buffer,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return bytes
  const decode = decoders[encoding.trim().toLowerCase()]
  try {
    if (decode === undefined) throw new Error(`unknown content-encoding: ${encoding.slice(0, 50)}`)
    return await decode(bytes, { maxOutputLength: bytesMax })
  } catch (cause) {
    throw new XrpcError(502, 'UpstreamFailure', 'unable to decode the answer of the upstream service', {
      cause,
    })
  }
}
