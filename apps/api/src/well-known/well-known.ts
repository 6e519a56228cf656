import { findAccountByHandle } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { normalizeHostname } from '@rookery/http'
import { hostDidDocument } from '@rookery/identity'
import { tryParseHandle } from '@rookery/syntax'
import type { FastifyInstance } from 'fastify'

/**
 * Registers what the host proves about names: `/.well-known/atproto-did` for the handle that the request came to, and
 * `/.well-known/did.json`, the host's own DID document.
 */
export function registerWellKnown(app: FastifyInstance, deps: { db: Pick<Database, 'pool'> }): void {
  app.get('/.well-known/atproto-did', async (request, reply) => {
    const handle = tryParseHandle(normalizeHostname(request.host)?.replace(/:\d+$/, '') ?? '')
    const account =
      handle === undefined ? undefined : await findAccountByHandle(deps.db.pool, request.pdsHost.id, handle)
    void reply.type('text/plain; charset=utf-8')
    return account?.status === 'active' ? account.did : reply.code(404).send('User not found')
  })
  app.get('/.well-known/did.json', (request) => hostDidDocument(request.pdsHost))
}
