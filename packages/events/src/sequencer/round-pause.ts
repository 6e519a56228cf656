import {
  busyRoundMs,
  largeRoundBytes,
  largeRoundMs,
  roundMs,
  sequenceBytesMax,
  sequenceRowsMax,
} from '../limits.ts'

/**
 * Returns how long after the begin of a round that found events the next may begin, in milliseconds: the first event
 * after a rest shall wait for nothing, many of them shall not cost a round each, and what a round had to leave behind
 * shall not wait at all.
 *
 * @param found how many events the round numbered, and how many bytes they have.
 * @param wasResting whether the round before found none.
 */
export function pauseAfter(found: { events: number; bytes: number }, wasResting: boolean): number {
  if (found.events >= sequenceRowsMax || found.bytes >= sequenceBytesMax) return 0
  if (found.bytes >= largeRoundBytes) return largeRoundMs
  return wasResting ? roundMs : busyRoundMs
}
