import {
  type Account,
  forgetOldNetworks,
  isNetworkNoted,
  networkDevice,
  noteDevice,
  signInAlertsHourMax,
} from '@rookery/accounts'
import { type Database, inTransaction } from '@rookery/db'
import type { Locale } from '@rookery/tenants'

import { clientKey } from '../limits/client-key.ts'
import type { AccountMailDeps } from './account-mail.ts'
import { auditedAnnouncer } from './security-event.ts'

/** Where somebody signed in. */
export type SignInPlace = {
  /** The browser; undefined for apps that ask for the password themselves. */
  deviceId?: string
  /** IP address. */
  address: string
  /** How long no second factor is to be asked for in the browser, in milliseconds; undefined: as before. */
  trustMs?: number | undefined
  locale: Locale | undefined
}

/**
 * Notes that an account signed in. The owner is told if that was with a browser that was not used before, though others
 * were, or without a known browser from such a network; and of some within an hour at most.
 */
export async function noteSignIn(
  deps: AccountMailDeps & { db: Pick<Database, 'pool'> },
  account: Account,
  { deviceId, address, trustMs, locale }: SignInPlace,
): Promise<void> {
  const action = 'account.sign-in.new-device'
  const announce = auditedAnnouncer(deps, { template: 'new-device', action, locale })
  const { id: accountId } = account
  const network = { accountId, deviceId: networkDevice(clientKey(address)) }
  // Apps sign in often: where nobody would be told, nothing is written.
  if (deviceId === undefined && (await isNetworkNoted(deps.db.pool, network))) return
  const isTold = await inTransaction(deps.db.pool, async (tx) => {
    const noted = await noteDevice(tx, network)
    if (!noted.isKnown && noted.hasOthers) await forgetOldNetworks(tx, accountId)
    const browser =
      deviceId === undefined ? undefined : await noteDevice(tx, { accountId, deviceId, trustMs })
    const isStrange =
      browser?.isKnown !== true &&
      ((!noted.isKnown && noted.hasOthers) || (browser !== undefined && browser.hasOthers))
    if (!isStrange || (browser ?? noted).newOnes > signInAlertsHourMax) return false
    await announce(tx, account)
    return true
  })
  if (isTold) deps.wakeWorkers()
}
