import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import type { FastifyInstance } from 'fastify'

import type { InternalServer } from './internal-server.ts'

/**
 * Begins to stop a serving process while load balancers still send to it: /readyz fails, and for the delay requests are
 * served as ever, each as the last of its connection. Whoever keeps connections to the process then has no reason left
 * to use one at the moment that it is closed, which nobody could tell from a request that was carried out and lost.
 *
 * @param options.delayMs how long load balancers may take to notice, in milliseconds.
 */
export async function stepBack(
  app: FastifyInstance,
  internal: InternalServer,
  options: { delayMs: number },
): Promise<void> {
  internal.drain()
  app.server.prependListener('request', (_request, response: ServerResponse) => {
    response.shouldKeepAlive = false
  })
  await sleep(options.delayMs)
}
