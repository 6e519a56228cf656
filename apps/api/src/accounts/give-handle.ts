import { type Account, changeHandle } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import { invalidRequest } from '@rookery/http'
import { type IdentityResolver, type PlcIdentities, atprotoData, isPlcDid } from '@rookery/identity'
import type { Handle } from '@rookery/syntax'

export type GiveHandleDeps = {
  db: Pick<Database, 'pool'>
  identities: Pick<IdentityResolver, 'resolveDid' | 'forget'>
  plc: Pick<PlcIdentities, 'updateHandle'>
  wakeSequencer: () => void
}

/**
 * Gives the account a handle that it may have: in its DID document, in its row, and to the network.
 *
 * @throws {XrpcError} 400 if the document of a DID that is not ours to change does not name the handle.
 * @throws whatever `changeHandle` and the PLC directory throw.
 */
export async function giveHandle(deps: GiveHandleDeps, account: Account, handle: Handle): Promise<void> {
  await changeHandle(deps, account, { handle, publish: () => publish(deps, account.did, handle) })
  await deps.identities.forget({ did: account.did, handle })
  if (account.handle !== null) await deps.identities.forget({ handle: account.handle })
  deps.wakeSequencer()
}

async function publish(deps: GiveHandleDeps, did: string, handle: Handle): Promise<void> {
  if (isPlcDid(did)) return deps.plc.updateHandle(did, handle)
  const document = await deps.identities.resolveDid(did, { refresh: true })
  if (atprotoData(document).handle !== handle) {
    throw invalidRequest('DID is not properly configured for handle')
  }
}
