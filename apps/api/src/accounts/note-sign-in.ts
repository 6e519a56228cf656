import { type Account, noteDevice } from '@rookery/accounts'
import { type Database, inTransaction } from '@rookery/db'
import type { Locale } from '@rookery/tenants'

import type { AccountMailDeps } from './account-mail.ts'
import { auditedAnnouncer } from './security-event.ts'

/**
 * Notes that an account signed in with a browser. The owner is told if it is not the first one, and was not used with
 * the account before.
 */
export async function noteSignIn(
  deps: AccountMailDeps & { db: Pick<Database, 'pool'> },
  account: Account,
  device: { deviceId: string; trustMs?: number | undefined; locale: Locale | undefined },
): Promise<void> {
  const { deviceId, trustMs, locale } = device
  const announce = auditedAnnouncer(deps, {
    template: 'new-device',
    action: 'account.sign-in.new-device',
    locale,
  })
  const { isNew } = await inTransaction(deps.db.pool, async (tx) => {
    const noted = await noteDevice(tx, { accountId: account.id, deviceId, trustMs })
    if (noted.isNew) await announce(tx, account)
    return noted
  })
  if (isNew) deps.wakeWorkers()
}
