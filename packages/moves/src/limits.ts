import { dayMs, hourMs, secondMs } from '@rookery/std'

/** How long the old server may take to answer a call, in milliseconds. */
export const oldServerTimeoutMs = 15 * secondMs

/** How long it may take to send a repo or a blob, in milliseconds. */
export const oldServerTransferMsMax = hourMs

/** Largest answer of the old server to a call, in bytes: preferences are the largest. */
export const oldServerAnswerBytesMax = 1024 * 1024

/** How long the session with the old server is kept, in milliseconds: as long as the account may stay deactivated. */
export const moveLifeMs = 3 * dayMs

/** Longest sentence of the old server that is shown, in characters. */
export const oldServerSentenceMax = 300

/** How often it is noted how far a move has come, in milliseconds. */
export const moveProgressEveryMs = secondMs
