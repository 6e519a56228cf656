import { DomainError } from '@rookery/std'
import { type AnyXrpcMethod, type XrpcCall, defineMethod } from '@rookery/http'
import {
  type IdentityResolver,
  type OwnIdentity,
  type PlcIdentities,
  type SigningKeys,
  assertIdentityIsOurs,
} from '@rookery/identity'
import { countAccount } from '@rookery/records'
import { cidToString } from '@rookery/syntax'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'

export type CheckAccountStatusDeps = AccessDeps & {
  identities: IdentityResolver
  plc: PlcIdentities
  signingKeys: SigningKeys
}

/** com.atproto.server.checkAccountStatus: how far a move to this host has come. */
export function checkAccountStatus(deps: CheckAccountStatusDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.checkAccountStatus',
    auth: accessAuth(deps),
    handler: async ({ host, auth: { account } }: XrpcCall<unknown, unknown, AccessAuth>) => {
      const { didKey } = await deps.signingKeys.signerFor(account)
      const { did, handle } = account
      const own = { did, signingKey: didKey, pdsUrl: host.publicUrl, handle }
      const totals = await countAccount(deps.db.pool, account.id)
      return {
        activated: account.status === 'active',
        validDid: await isOurs(deps, own),
        repoCommit: cidToString(totals.head),
        repoRev: totals.rev,
        repoBlocks: totals.repoBlocks,
        indexedRecords: totals.records,
        privateStateValues: 0,
        expectedBlobs: totals.expectedBlobs,
        importedBlobs: totals.importedBlobs,
      }
    },
  })
}

async function isOurs(deps: CheckAccountStatusDeps, own: OwnIdentity): Promise<boolean> {
  try {
    await assertIdentityIsOurs(deps, own)
    return true
  } catch (error) {
    if (error instanceof DomainError) return false
    throw error
  }
}
