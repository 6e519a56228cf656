import {
  InvalidCredentialsError,
  SecondAuthenticationFactorRequiredError,
} from '@atproto/oauth-provider/errors'
import type {
  Account as OAuthAccount,
  AccountStore,
  AuthenticateAccountData,
  AuthorizedClients,
  CreateAccountData,
  DeactivateAccountData,
  DeleteAccountConfirmInput,
  DeleteAccountRequestInput,
  DeviceAccount,
  DeviceId,
  Did,
  HandleString,
  ReactivateAccountData,
  ResetPasswordConfirmInput,
  ResetPasswordRequestInput,
  UpdateEmailConfirmInput,
  UpdateEmailRequestInput,
  UpdateEmailRequestOutput,
  UpdateHandleData,
  VerifyEmailConfirmInput,
  VerifyEmailRequestInput,
} from '@atproto/oauth-provider/store'
import {
  type Account,
  AccountNotFoundError,
  AccountTakedownError,
  FactorRequiredError,
  HandleNotAvailableError,
  checkPassword,
  confirmEmail,
  endSessions,
  findAccountByEmail,
  findAccountByHandle,
  findAccountById,
  isTrustedDevice,
  resetPassword,
} from '@rookery/accounts'
import type { PdsHost } from '@rookery/http'
import { MailLimitError, type TokenTemplate, chooseLocale } from '@rookery/mail'
import { type BrowserHooks, Grants, type GrantsDeps, toOAuthAccount } from '@rookery/oauth'
import { parseHandle } from '@rookery/syntax'

import { type AccountMailDeps, mailToken } from '../accounts/account-mail.ts'
import { type ActivateDeps, activate } from '../accounts/activate.ts'
import { chooseHandle } from '../accounts/choose-handle.ts'
import { changeAndConfirmEmail } from '../accounts/change-email.ts'
import { deactivate } from '../accounts/deactivate.ts'
import { type DeleteOwnAccountDeps, deleteOwnAccount } from '../accounts/delete-own-account.ts'
import type { GiveHandleDeps } from '../accounts/give-handle.ts'
import { findOwnDomain } from '../accounts/handles.ts'
import { type SignInPlace, noteSignIn } from '../accounts/note-sign-in.ts'
import { auditedAnnouncer } from '../accounts/security-event.ts'
import { type SecondFactorDeps, passSecondFactor } from '../accounts/second-factor.ts'
import { type SignUpDeps, signUp } from '../accounts/sign-up.ts'
import type { AccessDeps } from '../auth/access.ts'
import { asOAuth } from './oauth-error.ts'

export type AccountStoreDeps = SignUpDeps &
  ActivateDeps &
  DeleteOwnAccountDeps &
  GiveHandleDeps &
  AccountMailDeps &
  SecondFactorDeps &
  GrantsDeps &
  Pick<AccessDeps, 'accounts' | 'admit'>

/** One host's accounts as its sign-in pages use them: each method does what the XRPC method of the same purpose does. */
export class HostAccountStore implements AccountStore {
  readonly #deps: AccountStoreDeps
  readonly #host: PdsHost
  readonly #grants: Grants
  /** Browsers by what is typed in them to sign in. */
  readonly #browsers = new WeakMap<object, string>()

  constructor(deps: AccountStoreDeps, host: PdsHost) {
    this.#deps = deps
    this.#host = host
    this.#grants = new Grants(deps, host)
  }

  createAccount({
    hcaptchaResult,
    ...input
  }: CreateAccountData & { hcaptchaResult?: unknown }): Promise<OAuthAccount> {
    return asOAuth(async () => {
      const { account } = await signUp(this.#deps, this.#host, {
        handle: input.handle,
        email: input.email,
        password: input.password,
        inviteCode: input.inviteCode,
        hasSolvedCaptcha: hcaptchaResult !== undefined,
      })
      // The session of the older kind that comes with an account is nobody's here.
      await endSessions(this.#deps.db.pool, account.id)
      return this.#view(account)
    })
  }

  /**
   * What the provider tells of browsers, which it does not tell the store: it shows the store the same data that it
   * showed the hook before.
   */
  get hooks(): BrowserHooks {
    return {
      onSignInAttempt: ({ data, deviceId }) => void this.#browsers.set(data, deviceId),
      onSignedIn: ({ data, account, deviceId, deviceMetadata }) =>
        this.#note(account.did, {
          deviceId,
          address: deviceMetadata.ipAddress,
          locale: chooseLocale(data.locale),
        }),
      onSignedUp: ({ data, account, deviceId, deviceMetadata }) =>
        this.#note(account.did, {
          deviceId,
          address: deviceMetadata.ipAddress,
          locale: chooseLocale(data.locale),
        }),
    }
  }

  authenticateAccount(data: AuthenticateAccountData): Promise<OAuthAccount> {
    const { username, password, emailOtp, locale } = data
    return asOAuth(async () => {
      const login = { hostId: this.#host.id, identifier: username }
      const account = await checkPassword(this.#deps, login, password)
      if (account === undefined) throw new InvalidCredentialsError('Invalid identifier or password')
      if (!(await this.#isTrusted(account, this.#browsers.get(data)))) {
        await this.#passSecondFactor(account, emailOtp, locale)
      }
      await this.#assertAdmitted(account)
      return this.#view(account)
    })
  }

  /** Done by the rules of requests: here it would be all that was asked for, not what the account allowed of it. */
  setAuthorizedClient(): void {
    return undefined
  }

  getAccount(did: Did): Promise<{ account: OAuthAccount; authorizedClients: AuthorizedClients }> {
    return asOAuth(async () => {
      const account = await this.#find(did)
      await this.#assertAdmitted(account)
      return {
        account: this.#view(account),
        authorizedClients: await this.#grants.listGrants(account.id),
      }
    })
  }

  upsertDeviceAccount(deviceId: DeviceId, did: Did): Promise<void> {
    return this.#grants.signIn(deviceId, did)
  }

  getDeviceAccount(deviceId: DeviceId, did: Did): Promise<DeviceAccount | null> {
    return this.#grants.find(deviceId, did)
  }

  removeDeviceAccount(deviceId: DeviceId, did: Did): Promise<void> {
    return this.#grants.signOut(deviceId, did)
  }

  listDeviceAccounts(filter: { did: Did } | { deviceId: DeviceId }): Promise<DeviceAccount[]> {
    return this.#grants.list(filter)
  }

  resetPasswordRequest({ email, locale }: ResetPasswordRequestInput): Promise<OAuthAccount | null> {
    return asOAuth(async () => {
      const { db } = this.#deps
      const account = await findAccountByEmail(db.pool, this.#host.id, email.trim().toLowerCase())
      if (account === undefined) return null
      try {
        await this.#mail(account, 'reset-password', locale)
      } catch (error) {
        // A refusal would tell that the address is known here. Operators find it among the deliveries.
        if (!(error instanceof MailLimitError)) throw error
      }
      return this.#view(account)
    })
  }

  resetPasswordConfirm({ token, password }: ResetPasswordConfirmInput): Promise<OAuthAccount | null> {
    return asOAuth(async () => {
      const event = { template: 'password-changed', action: 'account.password.reset' } as const
      const announce = auditedAnnouncer(this.#deps, { ...event, locale: undefined })
      const accountId = await resetPassword({ ...this.#deps, announce }, this.#host.id, { token, password })
      this.#deps.wakeWorkers()
      const account = await findAccountById(this.#deps.db.pool, accountId)
      return account === undefined ? null : this.#view(account)
    })
  }

  updateEmailRequest({ did, locale }: UpdateEmailRequestInput): Promise<UpdateEmailRequestOutput> {
    return asOAuth(async () => {
      const account = await this.#find(did)
      const tokenRequired = account.email_confirmed_at !== null
      if (tokenRequired) await this.#mail(account, 'update-email', locale)
      return { tokenRequired }
    })
  }

  updateEmailConfirm({ did, email, token, locale }: UpdateEmailConfirmInput): Promise<OAuthAccount | null> {
    return asOAuth(async () => {
      const change = { email, token, locale: chooseLocale(locale) }
      const account = await changeAndConfirmEmail(this.#deps, await this.#find(did), change)
      return this.#view(account)
    })
  }

  verifyEmailRequest({ did, locale }: VerifyEmailRequestInput): Promise<void> {
    return asOAuth(async () => this.#mail(await this.#find(did), 'confirm-email', locale))
  }

  verifyEmailConfirm({ did, email, token }: VerifyEmailConfirmInput): Promise<OAuthAccount | null> {
    return asOAuth(async () => {
      const { id } = await this.#find(did)
      await confirmEmail(this.#deps, { id, email: email.trim().toLowerCase() }, token)
      return this.#view(await this.#find(did))
    })
  }

  verifyHandleAvailability(handle: HandleString): Promise<void> {
    return asOAuth(async () => {
      const wanted = parseHandle(handle)
      await findOwnDomain(this.#deps, this.#host, wanted)
      const holder = await findAccountByHandle(this.#deps.db.pool, this.#host.id, wanted)
      if (holder !== undefined) throw new HandleNotAvailableError(`Handle already taken: ${wanted}`)
    })
  }

  updateHandle({ did, handle }: UpdateHandleData): Promise<OAuthAccount> {
    return asOAuth(async () => {
      await chooseHandle(this.#deps, this.#host, await this.#find(did), parseHandle(handle))
      return this.#view(await this.#find(did))
    })
  }

  deactivateAccount({ did, deleteAfter }: DeactivateAccountData): Promise<OAuthAccount> {
    return asOAuth(async () => {
      const account = await this.#find(did)
      if (account.deactivated_at === null) {
        const until = deleteAfter === undefined ? null : new Date(deleteAfter)
        await deactivate(this.#deps, this.#host, account, until)
      }
      return this.#view(await this.#find(did))
    })
  }

  reactivateAccount({ did }: ReactivateAccountData): Promise<OAuthAccount> {
    return asOAuth(async () => {
      const account = await this.#find(did)
      if (account.deactivated_at !== null) await activate(this.#deps, this.#host, account)
      return this.#view(await this.#find(did))
    })
  }

  deleteAccountRequest({ did, locale }: DeleteAccountRequestInput): Promise<void> {
    return asOAuth(async () => this.#mail(await this.#find(did), 'delete-account', locale))
  }

  deleteAccountConfirm({ did, token, password }: DeleteAccountConfirmInput): Promise<void> {
    return asOAuth(() =>
      deleteOwnAccount(this.#deps, this.#host, { did, token, password, locale: undefined }),
    )
  }

  async #find(did: string): Promise<Account> {
    const account = await this.#deps.accounts.findByDid({ hostId: this.#host.id, did })
    if (account === undefined) throw new AccountNotFoundError('Account not found')
    return account
  }

  async #isTrusted(account: Account, deviceId: string | undefined): Promise<boolean> {
    if (deviceId === undefined) return false
    const { trustedBrowserMs: maxMs } = await this.#deps.policyOf(account)
    return isTrustedDevice(this.#deps.db.pool, { accountId: account.id, deviceId, maxMs })
  }

  async #note(did: string, place: SignInPlace): Promise<void> {
    await noteSignIn(this.#deps, await this.#find(did), place)
  }

  /** The pages know one kind of second factor, a code by mail; they pass on what is typed, so any code of ours will do. */
  async #passSecondFactor(account: Account, code: string | undefined, locale: string): Promise<void> {
    try {
      await passSecondFactor(this.#deps, account, { code, locale: chooseLocale(locale) })
    } catch (error) {
      if (!(error instanceof FactorRequiredError)) throw error
      throw new SecondAuthenticationFactorRequiredError('emailOtp', maskEmail(account.email), error)
    }
  }

  async #assertAdmitted(account: Account): Promise<void> {
    if (account.status === 'takendown' || account.status === 'suspended') throw new AccountTakedownError()
    await this.#deps.admit(account)
  }

  #mail(account: Account, template: TokenTemplate, locale: string | undefined): Promise<void> {
    return mailToken(this.#deps, account, template, chooseLocale(locale))
  }

  #view(account: Account): OAuthAccount {
    return toOAuthAccount(account, this.#host.serviceDid)
  }
}

/** What tells an owner which address it is, and nobody else the address. */
function maskEmail(email: string | null): string {
  return email === null ? '' : email.replace(/^(.).*(?=@)/, '$1***')
}
