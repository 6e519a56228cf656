import type { Readable } from 'node:stream'

import type { FastifyReply } from 'fastify'

/**
 * A service's answer with a status below 300. Whoever gets it reads the body to its end, destroys it, or answers with
 * all of it.
 */
export class UpstreamAnswer {
  readonly status: number
  /** Those that may be handed on. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable

  constructor(status: number, headers: Readonly<Record<string, string>>, body: Readable) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  /** Answers with it, as it comes. */
  send(reply: FastifyReply): FastifyReply {
    void reply.code(this.status).headers(this.headers)
    if (reply.request.method !== 'HEAD') return reply.send(this.body)
    this.body.resume()
    return reply.send()
  }
}
