import { openInviteCodesMax } from '../limits.ts'

/** When codes are earned, in milliseconds since the Unix epoch where it is an instant. */
export type InviteAccrual = { intervalMs: number; epochMs: number }

/** What an account has earned before. Codes that an operator gave it do not count. */
export type EarnedCodes = {
  /** Codes that were made after the accrual's epoch. */
  sinceEpoch: number
  /** Codes that somebody may still use. */
  open: number
}

/**
 * Returns how many codes an account may make now: one for each interval of its life since the epoch, less those that
 * it made since, and at most as many as leave it with `openInviteCodesMax` open ones (REFERENCE 3.13).
 *
 * Intervals are counted from the account's creation, also those before the epoch, so an epoch that is set later does
 * not move the instants at which an account earns.
 */
export function codesToMake(
  accrual: InviteAccrual,
  account: { createdAtMs: number; nowMs: number },
  earned: EarnedCodes,
): number {
  const { intervalMs, epochMs } = accrual
  const intervalsUntil = (ms: number): number =>
    Math.floor(Math.max(ms - account.createdAtMs, 0) / intervalMs)
  const sinceEpoch = intervalsUntil(account.nowMs) - intervalsUntil(epochMs)
  return Math.max(0, Math.min(openInviteCodesMax - earned.open, sinceEpoch - earned.sinceEpoch))
}
