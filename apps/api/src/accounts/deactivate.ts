import {
  type Account,
  type AppendStatusEvents,
  appendAccountEvent,
  appendIdentityEvent,
  changeAccountStatus,
} from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { PdsHost } from '@rookery/http'
import { type AtprotoData, type IdentityResolver, atprotoData } from '@rookery/identity'

export type DeactivateDeps = {
  db: Pick<Database, 'pool'>
  identities: IdentityResolver
  wakeSequencer: () => void
}

/**
 * Hides the account, and deletes it after an instant, if one is given. Of one that has moved away, #identity goes out
 * with #account: whoever missed the new host's looks there (SPEC §5).
 */
export async function deactivate(
  deps: DeactivateDeps,
  host: PdsHost,
  account: Account,
  deleteAfter: Date | null,
): Promise<void> {
  const appendEvents = eventsOf(await findNewHome(deps, host, account))
  await changeAccountStatus({ db: deps.db, appendEvents }, account.id, { deactivated: { deleteAfter } })
  deps.wakeSequencer()
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

function eventsOf(newHome: AtprotoData | undefined): AppendStatusEvents {
  return async (tx, account) => {
    await appendAccountEvent(tx, account)
    if (newHome === undefined) return
    const handle = newHome.handle === account.handle ? account.handle : null
    await appendIdentityEvent(tx, { ...account, handle })
  }
}
