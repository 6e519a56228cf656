import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import type { BlobStore } from '@rookery/blobs'
import { migrationStatus } from '@rookery/db'
import { readSequencerMarks } from '@rookery/events'
import { countWrapped } from '@rookery/identity'
import { readJobFigures } from '@rookery/jobs/figures'
import { Mailer } from '@rookery/mail'
import { createRedis } from '@rookery/redis'
import { secondMs } from '@rookery/std'

import type { CtlContext } from '../context.ts'
import type { CtlIdentity } from '../identity.ts'
import { type Finding, type Report, reasonOf } from './finding.ts'

/** How long an event may wait for its number, in milliseconds: the leader's lease, and as much again. */
const eventLagMsMax = 10 * secondMs

/** How long a job that is due may wait for a worker, in seconds. */
const jobLagSecondsMax = 300

/** How far clocks may be apart, in milliseconds: the leader refuses to number with one that is ten seconds behind. */
const clockSkewMsMax = 5 * secondMs

/** Longest wait for a Redis, in milliseconds. */
const redisTimeoutMs = 2 * secondMs

/** Checks what all accounts share. */
export async function checkCluster(
  context: CtlContext,
  identity: CtlIdentity,
  { store, report }: { store: BlobStore | undefined; report: Report },
): Promise<void> {
  const find = (severity: Finding['severity'], check: string, problem: string, hint: string): void =>
    report({ severity, check, subject: 'cluster', problem, hint })
  const missing = (await migrationStatus(context.db.pool)).filter(({ appliedAt }) => appliedAt === undefined)
  if (missing.length > 0) {
    find('error', 'schema', `${missing.length} migration(s) are not applied`, 'run `ctl migrate`')
    return
  }
  await checkEvents(context, find)
  await checkJobs(context, find)
  await checkRedis(context, find)
  await checkStore(store, find)
  await checkMail(context, find)
  for (const { secrets, keyId, key, count } of await countWrapped(context.db.pool, identity.wrapper)) {
    const what = `${count} ${secrets} are wrapped under key ${keyId}`
    if (key === 'unknown') {
      find('error', 'keys', `${what}, which is not here`, 'add it to ROOKERY_KEY_ENCRYPTION_KEY_PREVIOUS')
    } else if (key === 'previous') {
      find('warning', 'keys', `${what}, a previous one`, 'run `ctl keys rewrap`')
    }
  }
}

type Find = (severity: Finding['severity'], check: string, problem: string, hint: string) => void

async function checkEvents(context: CtlContext, find: Find): Promise<void> {
  const first = await readSequencerMarks(context.db.pool)
  const skewMs = Math.abs(first.nowMicros / 1_000 - Date.now())
  if (skewMs > clockSkewMsMax) {
    const seconds = Math.round(skewMs / secondMs)
    find('error', 'clock', `this clock and PostgreSQL's are ${seconds} s apart`, 'synchronise clocks (NTP)')
  }
  const aheadMs = (first.assignedSeq - first.nowMicros) / 1_000
  if (aheadMs > clockSkewMsMax) {
    const seconds = Math.round(aheadMs / secondMs)
    find('error', 'clock', `the last seq is ${seconds} s ahead of the clock`, 'the clock was set back: NTP')
  }
  if (!first.hasPartition) {
    find('error', 'events', 'the event log has no partition for now', 'is a sequencer running?')
  }
  const isPending = first.oldestQueuedId !== null || first.publishedSeq < first.assignedSeq
  const deadline = performance.now() + eventLagMsMax
  for (let now = first, isLate = isPending; isLate; now = await readSequencerMarks(context.db.pool)) {
    const isQueued = first.oldestQueuedId !== null && (now.oldestQueuedId ?? Infinity) <= first.oldestQueuedId
    const isUnpublished = now.publishedSeq < first.assignedSeq
    isLate = isQueued || isUnpublished
    if (!isLate) break
    if (performance.now() > deadline) {
      const problem = isQueued ? 'events are not numbered' : 'events are numbered and not published'
      const hint = isQueued ? 'is a sequencer running, and does it lead?' : 'does the sequencer reach Redis?'
      find('error', 'events', problem, hint)
      break
    }
    await sleep(200)
  }
}

async function checkJobs({ db }: CtlContext, find: Find): Promise<void> {
  for (const { queue, state, count, oldestSeconds } of await readJobFigures(db.pool)) {
    if (state === 'dead') {
      find('warning', 'jobs', `${count} job(s) of ${queue} were given up`, '`ctl jobs list --state dead`')
    } else if (state === 'waiting' && oldestSeconds > jobLagSecondsMax) {
      const minutes = Math.round(oldestSeconds / 60)
      find('error', 'jobs', `jobs of ${queue} wait for ${minutes} min`, 'is a worker running?')
    }
  }
}

async function checkRedis(context: CtlContext, find: Find): Promise<void> {
  const redis = createRedis(context.log, context.config().redis.url, { commandTimeoutMs: redisTimeoutMs })
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(redisTimeoutMs) })
    await redis.ping()
  } catch (error) {
    find('error', 'redis', `Redis does not answer: ${reasonOf(error)}`, 'the live tail of the firehose waits')
  } finally {
    redis.disconnect()
  }
}

async function checkStore(store: BlobStore | undefined, find: Find): Promise<void> {
  if (store === undefined) {
    const hint = 'give ctl the ROOKERY_BLOBS_ variables of the api to have blobs checked'
    find('warning', 'blobs', 'no blob store is configured here', hint)
    return
  }
  try {
    await store.list({ prefix: '', limit: 1 })
  } catch (error) {
    find(
      'error',
      'blobs',
      `the blob store does not answer: ${reasonOf(error)}`,
      'endpoint, bucket, credentials?',
    )
  }
}

async function checkMail(context: CtlContext, find: Find): Promise<void> {
  const { url, from } = context.config().mail
  if (url === undefined) {
    find('warning', 'mail', 'no mail server is configured here: workers drop mail', 'set ROOKERY_MAIL_URL')
    return
  }
  try {
    using mailer = new Mailer({ log: context.log, url, from })
    await mailer.verify()
  } catch (error) {
    find('error', 'mail', `the mail server does not take mail: ${reasonOf(error)}`, 'ROOKERY_MAIL_URL')
  }
}
