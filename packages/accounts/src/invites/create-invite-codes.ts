import { randomInt } from 'node:crypto'

import type { Queryable } from '@rookery/db'

import { insertInviteCodes } from './invite-queries.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

export type CreateInviteCodesInput = {
  /** Host and tenant that the codes let in to. */
  hostId: number
  tenantId: number
  hostname: string
  /** How many sign-ups each code is good for. */
  uses: number
  codesPerAccount: number
  /** DIDs that the codes are for, or `admin`. */
  forAccounts: readonly string[]
  /** DID of who makes them, or `admin`. */
  createdBy: string
  /** Whether they are good for nothing, made only to be counted. Default false. */
  disabled?: boolean
}

/** Makes invite codes (`<hostname with dashes>-xxxxx-xxxxx`) and returns them by the account that they are for. */
export async function createInviteCodes(
  tx: Queryable,
  input: CreateInviteCodesInput,
): Promise<{ account: string; codes: string[] }[]> {
  const made = input.forAccounts.map((account) => ({
    account,
    codes: Array.from({ length: input.codesPerAccount }, () => randomCode(input.hostname)),
  }))
  const { hostId, tenantId, uses, createdBy, disabled = false } = input
  await insertInviteCodes(
    tx,
    made.flatMap(({ account, codes }) =>
      codes.map((code) => ({ hostId, tenantId, code, uses, forAccount: account, createdBy, disabled })),
    ),
  )
  return made
}

function randomCode(hostname: string): string {
  return `${hostname.replace(/[.:]/g, '-')}-${randomGroup()}-${randomGroup()}`
}

function randomGroup(): string {
  return Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('')
}
