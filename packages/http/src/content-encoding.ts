import { PassThrough, type Readable, type Transform, pipeline } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

import type { FastifyRequest, RequestPayload } from 'fastify'

import { XrpcError } from './xrpc-error.ts'

/**
 * Returns the request's body without its Content-Encoding, as a stream; size limits then count decoded bytes.
 *
 * @throws {XrpcError} 415 for an encoding other than gzip, deflate and br.
 */
export function decodedBody(request: FastifyRequest, payload: RequestPayload): RequestPayload {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase()
  if (encoding === undefined || encoding === '' || encoding === 'identity') return payload
  const decoder = decoderOf(encoding)
  // Fastify compares the length of what was sent, not of what was decoded, with Content-Length.
  let receivedEncodedLength = 0
  const counter = new PassThrough()
  payload.on('data', (chunk: Buffer) => {
    receivedEncodedLength += chunk.length
  })
  const body: Readable & { receivedEncodedLength?: number } = pipeline(payload, counter, decoder, () => {})
  Object.defineProperty(body, 'receivedEncodedLength', { get: () => receivedEncodedLength })
  delete request.headers['content-encoding']
  return body
}

function decoderOf(encoding: string): Transform {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip()
  if (encoding === 'deflate') return createInflate()
  if (encoding === 'br') return createBrotliDecompress()
  throw new XrpcError(415, 'UnsupportedMediaType', `unsupported content-encoding: ${encoding}`)
}
