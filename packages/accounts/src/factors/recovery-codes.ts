import { hash } from 'node:crypto'

import type { Queryable } from '@rookery/db'

import { randomCode } from '../email-tokens/random-code.ts'
import { recoveryCodesMax } from '../limits.ts'
import { deleteRecoveryCode, replaceRecoveryCodes } from './factor-queries.ts'

/** Makes new recovery codes (`XXXXX-XXXXX`, 50 random bits) in place of all others, and returns them: hashes are stored. */
export async function issueRecoveryCodes(tx: Queryable, accountId: number): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodesMax }, randomCode)
  await replaceRecoveryCodes(tx, accountId, codes.map(hashCode))
  return codes
}

/** Uses a recovery code up, and tells whether it was one. */
export function useRecoveryCode(db: Queryable, accountId: number, code: string): Promise<boolean> {
  return deleteRecoveryCode(db, accountId, hashCode(code))
}

function hashCode(code: string): Buffer {
  return hash('sha256', `recovery:${code.trim().toUpperCase()}`, 'buffer')
}
