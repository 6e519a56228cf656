import { InvalidEmailError } from '@rookery/accounts'
import type { TenantSettings } from '@rookery/tenants'

/**
 * Returns if accounts of the tenant may have the address, which is in lower case.
 *
 * @throws {InvalidEmailError} if the tenant wants others.
 */
export function assertEmailDomain(
  { emailDomains }: Pick<TenantSettings, 'emailDomains'>,
  email: string,
): void {
  if (emailDomains.length === 0 || emailDomains.includes(email.slice(email.lastIndexOf('@') + 1))) return
  throw new InvalidEmailError(`The e-mail address must be one of ${emailDomains.join(', ')}`)
}
