import type { Readable } from 'node:stream'

import type { FastifyReply, FastifyRequest } from 'fastify'

/** Returns how many bytes the client says that the body has; undefined if it does not, or they come compressed. */
export function announcedLength({ headers }: FastifyRequest, body: Readable): number | undefined {
  const isDecoded = 'receivedEncodedLength' in body
  return isDecoded || headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
}

/** Lets the answer go out though the body was not read: what still comes is of no use to anybody. */
export function leaveBody(reply: FastifyReply, body: Readable): void {
  // The next request on the connection could not be told from the rest of this one.
  reply.header('connection', 'close')
  body.resume()
}
