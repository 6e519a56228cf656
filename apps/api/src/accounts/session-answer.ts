import { type Account, type Session, activeAndStatus } from '@rookery/accounts'
import { invalidHandle } from '@rookery/syntax'

/** An account as session methods answer it. */
export type AccountAnswer = {
  did: string
  handle: string
  email?: string
  emailConfirmed?: boolean
  emailAuthFactor?: boolean
  active: boolean
  status?: string
}

/**
 * Returns how session methods answer an account to itself.
 *
 * @param options.withoutEmail for an app that the account did not show its address.
 */
export function accountAnswer(account: Account, options: { withoutEmail?: boolean } = {}): AccountAnswer {
  const { did, email } = account
  return {
    did,
    handle: account.handle ?? invalidHandle,
    ...(email === null || options.withoutEmail === true
      ? {}
      : {
          email,
          emailConfirmed: account.email_confirmed_at !== null,
          emailAuthFactor: account.email_auth_factor,
        }),
    ...activeAndStatus(account.status),
  }
}

/** Returns how session methods answer a session. */
export function sessionAnswer(session: Session): AccountAnswer & { accessJwt: string; refreshJwt: string } {
  const { account, accessJwt, refreshJwt } = session
  return { ...accountAnswer(account), accessJwt, refreshJwt }
}
