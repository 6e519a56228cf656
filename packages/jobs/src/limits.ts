import { hourMs, secondMs } from '@rookery/std'

/** Largest payload of a job, in bytes of JSON: jobs carry names of things, not the things. */
export const payloadBytesMax = 64 * 1024

/** Longest error text that is kept of a failed attempt, in characters. */
export const errorLengthMax = 2_000

/** How many due jobs one turn of a relay takes. */
export const relayBatchMax = 200

/** How often a relay looks without being woken, in milliseconds. */
export const relayPollMs = secondMs

/**
 * How long a relayed job may go without being started until it is enqueued again, in milliseconds. Harmless when it
 * only waits its turn: BullMQ knows its id.
 */
export const relayAgainMs = 30 * secondMs

/**
 * How long a worker's claim on a job lasts without being renewed, in milliseconds: the time after which the jobs of
 * a killed worker start again. Renewed three times as often.
 */
export const leaseMs = 15 * secondMs

/** How often the end of a job is looked for by those who wait for it, in milliseconds: at first and at last. */
export const waitPollMsMin = 20
export const waitPollMsMax = 100

/** How long a result waits to be read, in milliseconds. */
export const resultLifeMs = hourMs

/** How long a stopping worker waits for jobs that were told to stop, in milliseconds, after its drain time. */
export const abortGraceMs = 2 * secondMs

/** Longest wait between two tries to reach Redis or Postgres, in milliseconds. */
export const retryMsMax = 2 * secondMs

/** How long BullMQ retries a delivery whose claim failed because Postgres was away: attempts, and the first wait. */
export const deliveryAttempts = 8
export const deliveryBackoffMs = 250

/** Most jobs that one listing returns. */
export const listJobsMax = 1_000

/** How often schedules are looked at, in milliseconds. */
export const schedulePollMs = 2 * secondMs

/** Longest wait for an answer of Redis while jobs are enqueued, in milliseconds. */
export const redisTimeoutMs = 3 * secondMs

/** How many entries BullMQ keeps of each queue's own event stream, which nothing here reads. */
export const bullEventsMax = 100
