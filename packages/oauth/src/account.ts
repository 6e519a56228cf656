import type { Account as OAuthAccount, Did, HandleString } from '@atproto/oauth-provider/store'
import type { Account } from '@rookery/accounts'

/** Returns an account as the sign-in pages and tokens know it. `serviceDid` is the host that the tokens are for. */
export function toOAuthAccount(account: Account, serviceDid: string): OAuthAccount {
  return {
    did: account.did as Did,
    pds: serviceDid as Did,
    deactivated: account.deactivated_at !== null,
    ...(account.email === null
      ? {}
      : { email: account.email, emailVerified: account.email_confirmed_at !== null }),
    ...(account.handle === null ? {} : { handle: account.handle as HandleString }),
  }
}
