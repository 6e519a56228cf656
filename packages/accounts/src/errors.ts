import { DomainError } from '@rookery/std'

import type { Account } from './account.ts'

/** Is thrown when this host has no such account. */
export class AccountNotFoundError extends DomainError {
  override readonly name = 'AccountNotFoundError'
  readonly code = 'AccountNotFound'
}

/** Is thrown when the account is taken down, or suspended. */
export class AccountTakedownError extends DomainError {
  override readonly name = 'AccountTakedownError'
  readonly code = 'AccountTakedown'

  constructor() {
    super('Account has been taken down')
  }
}

/** Is thrown for a wrong password and for an unknown identifier alike. */
export class InvalidLoginError extends DomainError {
  override readonly name = 'InvalidLoginError'
  readonly code = 'InvalidLogin'

  constructor(message = 'Invalid identifier or password') {
    super(message)
  }
}

/** Is thrown for an app password's name that is taken, empty or too long, and for one app password too many. */
export class AppPasswordRefusedError extends DomainError {
  override readonly name = 'AppPasswordRefusedError'
  readonly code = 'AppPasswordRefused'
}

/** Is thrown when more passwords wait to be hashed than the process can hold. */
export class PasswordQueueFullError extends DomainError {
  override readonly name = 'PasswordQueueFullError'
  readonly code = 'PasswordQueueFull'

  constructor() {
    super('Too many sign-ins at once, please try again')
  }
}

/** Is thrown for a password that may not be set. */
export class InvalidPasswordError extends DomainError {
  override readonly name = 'InvalidPasswordError'
  readonly code = 'InvalidPassword'
}

/** Is thrown for a handle that somebody has, or that nobody may have. */
export class HandleNotAvailableError extends DomainError {
  override readonly name = 'HandleNotAvailableError'
  readonly code = 'HandleNotAvailable'
}

/** Is thrown for a new account's handle under a domain that this host does not serve. */
export class UnsupportedDomainError extends DomainError {
  override readonly name = 'UnsupportedDomainError'
  readonly code = 'UnsupportedDomain'
}

/** Is thrown where nobody may make an account. */
export class SignUpClosedError extends DomainError {
  override readonly name = 'SignUpClosedError'
  readonly code = 'SignUpClosed'
}

/** Is thrown for an e-mail address that is none, or that may not be used. */
export class InvalidEmailError extends DomainError {
  override readonly name = 'InvalidEmailError'
  readonly code = 'InvalidEmail'
}

/** Is thrown for an e-mail address that another account of the host has. */
export class EmailNotAvailableError extends DomainError {
  override readonly name = 'EmailNotAvailableError'
  readonly code = 'EmailNotAvailable'
}

/** Is thrown when the host already has an account of this DID. */
export class DidNotAvailableError extends DomainError {
  override readonly name = 'DidNotAvailableError'
  readonly code = 'DidNotAvailable'
}

/** Is thrown for an invite code that is missing, unknown, disabled, used up or of another tenant. */
export class InvalidInviteCodeError extends DomainError {
  override readonly name = 'InvalidInviteCodeError'
  readonly code = 'InvalidInviteCode'
}

/** Is thrown when sign-up took longer than it may hold its handle. */
export class SignUpExpiredError extends DomainError {
  override readonly name = 'SignUpExpiredError'
  readonly code = 'SignUpExpired'

  constructor() {
    super('Creating the account took too long, please try again')
  }
}

/** Is thrown for a token that is malformed, forged, for something else, used or revoked. */
export class InvalidTokenError extends DomainError {
  override readonly name = 'InvalidTokenError'
  readonly code = 'InvalidToken'
}

/** Is thrown for a token whose time is over. */
export class ExpiredTokenError extends DomainError {
  override readonly name = 'ExpiredTokenError'
  readonly code = 'ExpiredToken'
}

/** Is thrown when a confirmed address is to be changed without the token that was mailed to it. */
export class EmailTokenRequiredError extends DomainError {
  override readonly name = 'EmailTokenRequiredError'
  readonly code = 'EmailTokenRequired'

  constructor() {
    super('confirmation token required')
  }
}

/** Is thrown when mail is to be sent to an account without an address. */
export class NoEmailAddressError extends DomainError {
  override readonly name = 'NoEmailAddressError'
  readonly code = 'NoEmailAddress'

  constructor() {
    super('Account does not have an email address')
  }
}

/** Is thrown when an account is to be activated while it is taken down. */
export class ConflictingStatusError extends DomainError {
  override readonly name = 'ConflictingStatusError'
  readonly code = 'ConflictingStatus'
}

/** Is thrown for preferences that cannot be kept, or that the session may not set. */
export class InvalidPreferencesError extends DomainError {
  override readonly name = 'InvalidPreferencesError'
  readonly code = 'InvalidPreferences'
}

/** A way to show, besides the password, that it is the account's owner who signs in. */
export type FactorKind = 'totp' | 'email'

/** Is thrown when the password was right and a second factor is to be shown. */
export class FactorRequiredError extends DomainError {
  override readonly name = 'FactorRequiredError'
  readonly code = 'FactorRequired'
  /** What the account has. A recovery code stands in for any of them. */
  readonly kinds: readonly FactorKind[]
  /** Whose password was right. */
  readonly account: Account

  constructor(account: Account, kinds: readonly FactorKind[]) {
    super('A second factor is required to sign in')
    this.account = account
    this.kinds = kinds
  }
}

/** Is thrown for a passkey that is nobody's, is broken, or cannot be added. */
export class InvalidPasskeyError extends DomainError {
  override readonly name = 'InvalidPasskeyError'
  readonly code = 'InvalidPasskey'

  constructor(message = 'This passkey is not known here', options?: ErrorOptions) {
    super(message, options)
  }
}

/** Is thrown for a second factor that cannot be set up or taken away. */
export class FactorRefusedError extends DomainError {
  override readonly name = 'FactorRefusedError'
  readonly code = 'FactorRefused'
}
