import type { Database } from '@rookery/db'
import type { FastifyInstance } from 'fastify'

import { version } from './version.ts'

/** Registers `GET /xrpc/_health`: the version, or 503 while Postgres does not answer. */
export function registerHealth(app: FastifyInstance, deps: { db: Database }): void {
  app.get('/xrpc/_health', async (_request, reply) => {
    try {
      await deps.db.pool.query('select 1')
      return reply.send({ version })
    } catch {
      return reply.code(503).send({ version, error: 'Service Unavailable' })
    }
  })
}
