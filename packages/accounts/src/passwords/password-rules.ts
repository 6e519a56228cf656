import { InvalidLoginError, InvalidPasswordError } from '../errors.ts'
import { newPasswordLengthMax, newPasswordLengthMin, oldPasswordLengthMax } from '../limits.ts'

/**
 * Returns if the password may be set.
 *
 * @throws {InvalidPasswordError} if it is too short or too long.
 */
export function assertNewPassword(password: string): void {
  if (password.length > newPasswordLengthMax) {
    throw new InvalidPasswordError(`Password too long. Maximum length is ${newPasswordLengthMax} characters.`)
  }
  if (password.length < newPasswordLengthMin) {
    throw new InvalidPasswordError(
      `Password too short. Minimum length is ${newPasswordLengthMin} characters.`,
    )
  }
}

/**
 * Returns if the password is short enough to be worth hashing.
 *
 * @throws {InvalidLoginError} if it is longer than any that was ever allowed.
 */
export function assertOfferedPassword(password: string): void {
  if (password.length > oldPasswordLengthMax) throw new InvalidLoginError()
}
