import {
  type Account,
  type FactorDeps,
  FactorRequiredError,
  type SignInPolicy,
  assertSecondFactor,
} from '@rookery/accounts'
import { MailLimitError } from '@rookery/mail'
import type { HostDirectory, Locale } from '@rookery/tenants'

import { type AccountMailDeps, mailToken } from './account-mail.ts'

export type SecondFactorDeps = FactorDeps &
  AccountMailDeps & { policyOf: (account: Pick<Account, 'tenant_id'>) => Promise<SignInPolicy> }

/** Returns what accounts' tenants decide about signing in. */
export function signInPolicies(directory: Pick<HostDirectory, 'findTenant'>): SecondFactorDeps['policyOf'] {
  return async ({ tenant_id }) => {
    const settings = (await directory.findTenant(tenant_id))?.settings
    return {
      isSecondFactorRequired: settings?.secondFactor === 'required',
      areAppPasswordsAllowed: settings?.appPasswords !== false,
      passwordSessionMs: settings?.passwordSessionMs ?? null,
      trustedBrowserMs: settings?.trustedBrowserMs ?? 0,
    }
  }
}

/**
 * Does what needs a second factor; if one is to be shown and codes by mail are one, mails one, and throws all the same.
 * Past the limits of mail an earlier code is what there is.
 */
export async function mailingFactor<Result>(
  deps: AccountMailDeps,
  locale: Locale | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof FactorRequiredError && error.kinds.includes('email')) {
      await mailToken(deps, error.account, 'sign-in', locale).catch((refusal: unknown) => {
        if (!(refusal instanceof MailLimitError)) throw refusal
      })
    }
    throw error
  }
}

/** Asserts the second factor of an account whose password was right, as `assertSecondFactor` does. */
export async function passSecondFactor(
  deps: SecondFactorDeps,
  account: Account,
  { code, locale }: { code: string | undefined; locale: Locale | undefined },
): Promise<void> {
  const { isSecondFactorRequired } = await deps.policyOf(account)
  await mailingFactor(deps, locale, () =>
    assertSecondFactor(deps, account, { code, isRequired: isSecondFactorRequired }),
  )
}
