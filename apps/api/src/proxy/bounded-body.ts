import { type Readable, Transform } from 'node:stream'

import { XrpcError } from '@rookery/http'
import type { FastifyRequest } from 'fastify'

/**
 * Returns the request's body for sending on, or undefined if it has none. Where it is sent may fail without harm to
 * the caller's own connection, on which the answer goes out.
 *
 * @throws {XrpcError} 413 if it announces more than `bytesMax`; the stream fails with the same if it turns out to have.
 */
export function boundedBody(
  { headers }: FastifyRequest,
  payload: Readable,
  bytesMax: number,
): Readable | undefined {
  const length = Number(headers['content-length'] ?? 0)
  if (length > bytesMax) throw tooLarge()
  if (length === 0 && headers['transfer-encoding'] === undefined) return undefined
  let received = 0
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length
      if (received > bytesMax) done(tooLarge())
      else done(null, chunk)
    },
  })
  payload.once('error', (error) => bounded.destroy(error))
  return payload.pipe(bounded)
}

function tooLarge(): XrpcError {
  return new XrpcError(413, 'PayloadTooLarge', 'request entity too large')
}
