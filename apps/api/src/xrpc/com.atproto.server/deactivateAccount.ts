import {
  type Account,
  type AppendStatusEvents,
  appendAccountEvent,
  appendIdentityEvent,
  changeAccountStatus,
} from '@rookery/accounts'
import { type AnyXrpcMethod, type PdsHost, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import { type AtprotoData, type IdentityResolver, atprotoData } from '@rookery/identity'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'

type DeactivateDeps = AccessDeps & { identities: IdentityResolver; wakeSequencer: () => void }

/** com.atproto.server.deactivateAccount: hides the account, and deletes it after a given instant. */
export function deactivateAccount(deps: DeactivateDeps): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.deactivateAccount',
    auth: fullAccessAuth(deps, { allowTakendown: true }),
    handler: async ({ host, input, auth }: XrpcCall<unknown, { deleteAfter?: string }, AccessAuth>) => {
      const deleteAfter = input.deleteAfter === undefined ? null : new Date(input.deleteAfter)
      if (Number.isNaN(deleteAfter?.getTime())) throw invalidRequest('deleteAfter must be an instant')
      const newHome = await findNewHome(deps, host, auth.account)
      const change = { deactivated: { deleteAfter } }
      await changeAccountStatus({ ...deps, appendEvents: eventsOf(newHome) }, auth.account.id, change)
      deps.wakeSequencer()
    },
  })
}

/** Returns what the DID says of an account that has moved away; an unreachable directory says nothing. */
async function findNewHome(
  { identities }: DeactivateDeps,
  host: PdsHost,
  { did }: Account,
): Promise<AtprotoData | undefined> {
  const document = await identities.resolveDid(did, { refresh: true }).catch(() => undefined)
  const identity = document && atprotoData(document)
  return identity?.pdsUrl === host.publicUrl ? undefined : identity
}

/** #account, and #identity if the account has moved, so that whoever missed the new host's looks there (SPEC §5). */
function eventsOf(newHome: AtprotoData | undefined): AppendStatusEvents {
  return async (tx, account) => {
    await appendAccountEvent(tx, account)
    if (newHome === undefined) return
    const handle = newHome.handle === account.handle ? account.handle : null
    await appendIdentityEvent(tx, { ...account, handle })
  }
}
