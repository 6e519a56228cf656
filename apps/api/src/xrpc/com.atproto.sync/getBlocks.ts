import { type AnyXrpcMethod, RawAnswer, defineMethod } from '@rookery/http'
import { Slots, blockReadsMax, getBlocks as findBlocks, waitingBlockReadsMax } from '@rookery/records'
import { parseCid } from '@rookery/syntax'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { carType, readOptions } from './read-options.ts'

/** com.atproto.sync.getBlocks: blocks of a repo's present state, all of them or none. */
export function getBlocks(deps: AccessDeps): AnyXrpcMethod {
  const slots = new Slots(blockReadsMax, waitingBlockReadsMax)
  return defineMethod<{ did: string; cids: string[] }, undefined, RawAnswer, OptionalAuth>({
    nsid: 'com.atproto.sync.getBlocks',
    auth: optionalAuth(deps),
    handler: async ({ host, params: { did, cids }, auth }) => {
      const query = { hostId: host.id, did, cids: cids.map(parseCid) }
      await using _slot = await slots.acquire()
      return new RawAnswer(carType, await findBlocks(deps.db.pool, query, readOptions(auth, did)))
    },
  })
}
