import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const scryptAsync = promisify<string, string, number, Buffer>(scrypt)
const keyBytes = 64
const hashPattern = /^[0-9a-f]{32}:[0-9a-f]{128}$/

/** Tells whether a stored hash is the reference PDS's `salt:hash`, both in hexadecimal (REFERENCE 3.12). */
export function isScryptHash(storedHash: string): boolean {
  return hashPattern.test(storedHash)
}

/** Tells whether the password is the one of a hash for which `isScryptHash` holds. */
export async function verifyScrypt(storedHash: string, password: string): Promise<boolean> {
  const [salt = '', expected = ''] = storedHash.split(':')
  // The salt is the hexadecimal text itself, not the bytes it spells.
  const actual = await scryptAsync(password, salt, keyBytes)
  return timingSafeEqual(actual, Buffer.from(expected, 'hex'))
}
