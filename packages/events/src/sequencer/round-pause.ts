import { busyRoundMs, fullRoundBytes, fullRoundMs, roundMs } from '../limits.ts'

/**
 * Returns how long after the begin of a round that found events the next may begin, in milliseconds: the first event
 * after a rest shall wait for nothing, and many of them shall not cost a round each.
 *
 * @param bytes of the events found.
 * @param wasResting whether the round before found none.
 */
export function pauseAfter(bytes: number, wasResting: boolean): number {
  if (bytes >= fullRoundBytes) return fullRoundMs
  return wasResting ? roundMs : busyRoundMs
}
