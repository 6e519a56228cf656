import { hourMs, minuteMs, secondMs } from '@rookery/std'
import { z } from 'zod'

/** One queue: what its jobs carry and how hard they are tried. */
export type QueueDefinition = {
  /** What a job carries. It names the scope that the job works in: host, and tenant and account if it has them. */
  payload: z.ZodType
  /** How often a job is started before it is dead. */
  attemptsMax: number
  /** Wait before the second attempt, in milliseconds; it doubles with each further one. */
  backoffMsMin: number
  /** Longest wait between two attempts, in milliseconds. */
  backoffMsMax: number
  /** Longest run of one attempt, in milliseconds: its signal is aborted then and the attempt has failed. */
  runMsMax: number
  /** How many jobs one process runs at once. */
  concurrency: number
}

const id = z.number().int().positive()
const hostScope = z.object({ hostId: id })
const accountScope = hostScope.extend({ tenantId: id, accountId: id })

/**
 * Every queue: the one place that names them. Payloads stay in Postgres; Redis sees only job ids.
 */
export const queues = {
  /** Sends one mail. About twelve hours of attempts outlast a mail server's bad day. */
  mail: {
    payload: hostScope.extend({
      tenantId: id,
      /** Null for mail that is about no account. */
      accountId: id.nullable(),
      /** A template of @rookery/mail. */
      template: z.string(),
      to: z.string(),
      /** Language that the reader asked for; without one it is the tenant's. */
      locale: z.string().optional(),
      /** What the template fills in. */
      params: z.record(z.string(), z.string()),
    }),
    attemptsMax: 16,
    backoffMsMin: 5 * secondMs,
    backoffMsMax: 2 * hourMs,
    runMsMax: minuteMs,
    concurrency: 8,
  },
  /** Finds out whose address a new password was asked for, and has the token mailed. */
  'password-reset': {
    payload: hostScope.extend({
      /** In lower case. */
      email: z.string(),
      /** Language that the reader asked for. */
      locale: z.string().optional(),
    }),
    attemptsMax: 8,
    backoffMsMin: secondMs,
    backoffMsMax: minuteMs,
    runMsMax: minuteMs,
    concurrency: 4,
  },
  /**
   * Deletes bytes that nobody needs: `unreferenced` blobs, or objects without a row. For the whole cluster: what is
   * due is found by time, and every row and object key names its host and account.
   */
  'blob-gc': {
    payload: z.object({ of: z.enum(['unreferenced', 'orphans']) }),
    attemptsMax: 5,
    backoffMsMin: 10 * secondMs,
    backoffMsMax: 10 * minuteMs,
    runMsMax: 30 * minuteMs,
    concurrency: 1,
  },
  /** Deletes the object of a blob that a moderator purged. Tried for a week. */
  'blob-purge': {
    payload: accountScope.extend({ cid: z.string() }),
    attemptsMax: 60,
    backoffMsMin: 5 * secondMs,
    backoffMsMax: 4 * hourMs,
    runMsMax: minuteMs,
    concurrency: 2,
  },
  /** Replaces an account's repo by an uploaded one; the caller waits for the result. */
  'repo-import': {
    payload: accountScope.extend({
      /** Where the uploaded CAR lies in the blob store. */
      objectKey: z.string(),
    }),
    attemptsMax: 4,
    backoffMsMin: secondMs,
    backoffMsMax: minuteMs,
    runMsMax: hourMs,
    concurrency: 2,
  },
  /** Rewrites an account's packs into a base. */
  'repo-compaction': {
    payload: accountScope,
    attemptsMax: 5,
    backoffMsMin: 5 * secondMs,
    backoffMsMax: 10 * minuteMs,
    runMsMax: 30 * minuteMs,
    concurrency: 2,
  },
  /** Deletes an account whose time has come, and the content of one that was deleted. Tried for a week. */
  'account-deletion': {
    payload: accountScope.extend({ did: z.string() }),
    attemptsMax: 60,
    backoffMsMin: 5 * secondMs,
    backoffMsMax: 4 * hourMs,
    runMsMax: hourMs,
    concurrency: 2,
  },
  /** Builds the archive that an account's owner asked for; each attempt begins anew. */
  'account-export': {
    payload: accountScope.extend({
      /** Which of the account's exports: an older one is of no use. */
      exportId: z.string(),
      /** Language of the mail that tells of it. */
      locale: z.string().optional(),
    }),
    attemptsMax: 8,
    backoffMsMin: 5 * secondMs,
    backoffMsMax: 30 * minuteMs,
    runMsMax: 6 * hourMs,
    concurrency: 2,
  },
  /** Fetches what an account that moves here has at its old server. */
  'account-move': {
    payload: accountScope,
    attemptsMax: 8,
    backoffMsMin: 5 * secondMs,
    backoffMsMax: 15 * minuteMs,
    runMsMax: 6 * hourMs,
    concurrency: 2,
  },
  /** Deletes archives whose time is over, or objects of exports that no row knows, of all hosts. */
  'account-export-gc': {
    payload: z.object({ of: z.enum(['expired', 'orphans']) }),
    attemptsMax: 5,
    backoffMsMin: 10 * secondMs,
    backoffMsMax: 10 * minuteMs,
    runMsMax: 30 * minuteMs,
    concurrency: 1,
  },
  /** Asks one relay to crawl one host. */
  'crawl-request': {
    payload: hostScope.extend({ relay: z.string() }),
    attemptsMax: 6,
    backoffMsMin: 5 * secondMs,
    backoffMsMax: 30 * minuteMs,
    runMsMax: minuteMs,
    concurrency: 4,
  },
} as const satisfies Record<string, QueueDefinition>

/** Name of a queue. */
export type QueueName = keyof typeof queues

/** What a job of the queue carries. */
export type JobPayload<Q extends QueueName = QueueName> = z.output<(typeof queues)[Q]['payload']>

/** The names of all queues. */
export const queueNames = Object.keys(queues) as QueueName[]

/** Tells whether a text names a queue. */
export function isQueueName(name: string): name is QueueName {
  return Object.hasOwn(queues, name)
}

/** Returns how long a job waits after its n-th failed attempt (from 1), in milliseconds. */
export function backoffMs(queue: QueueName, attempt: number): number {
  const { backoffMsMin, backoffMsMax } = queues[queue]
  return Math.min(backoffMsMax, backoffMsMin * 2 ** (attempt - 1))
}
