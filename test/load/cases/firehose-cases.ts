import { setTimeout as sleep } from 'node:timers/promises'

import { BenchError } from '../bench-error.ts'
import { type Cost, Meter, measureLoad } from '../closed-loop.ts'
import { monotonicMs } from '../firehose/clock.ts'
import type { Tally } from '../firehose/subscribers-process.ts'
import { createRecord } from '../fixtures/records.ts'
import { type Measurement, percentile } from '../statistics.ts'
import type { System } from '../systems/system.ts'
import { type BenchCase, type CaseContext, roundRobin } from './bench-case.ts'
import { type PacedWrites, writePaced } from './paced.ts'

/** Live subscribers, and writes per second that both systems might keep up with. */
const live = [
  { subscribers: 1, writesPerSec: 50 },
  { subscribers: 100, writesPerSec: 50 },
  { subscribers: 1_000, writesPerSec: 20 },
]

/** Events that are in the log, at least, before a backfill; writing more would take the reference minutes. */
const eventsMin = {
  rookery: { quick: 8_000, full: 50_000 },
  reference: { quick: 1_000, full: 5_000 },
}

/** Writes of a case that is measured by its delays. */
const writesNowAndThen = { quick: 6, full: 30 }

/** When to look at a server that nobody asks for anything, and for how long, in milliseconds. */
const idle = { settleMs: 1_500, windowMs: 3_000 }

/** Writes before the first round of a case, for which the processes compile their code. */
const warmUpWrites = 100

/** A live window is at least so long: what a message costs is the difference of two windows. */
const liveWindowMsMin = 2_000

/** A process that was restarted has compiled nothing, in any round. */
const backfillWarmUpMsMin = 1_500

/** Events in each system's log, as a subscriber found them. */
const counted = new WeakMap<System, number>()

/** subscribeRepos: live, from the past, and how soon an event follows its write. */
export const firehoseCases: BenchCase[] = [
  responseToFrame(),
  ...live.map(subscribeLive),
  ...[1, 10].map((count) => subscribeBackfill(count, 'running')),
  subscribeBackfill(10, 'restarted'),
]

/** One write at a time on a server that does nothing else. */
function responseToFrame(): BenchCase {
  return {
    name: 'responseToFrame',
    params: { subscribers: 1, writers: 1 },
    isQuick: true,
    quickRounds: 1,
    measure: async (context) => {
      const operations = writesNowAndThen[context.timing.isQuick ? 'quick' : 'full']
      await using _ = await subscribed(context, 1)
      await warmUp(context)
      const idleCpuMsPerSec = await idleCpu(context)
      await context.observer.begin()
      const meter = new Meter(context.system)
      const writes = await writeNowAndThen(context, operations)
      await arrived(context, operations)
      const cost = meter.stop(operations)
      await context.observer.end(operations)
      const tally = await context.subscribers.report()
      const result = measurement({ cost, tally, writes, operations })
      const idleCpuMs = idleCpuMsPerSec * (cost.elapsedMs / 1_000)
      return {
        ...result,
        cpuMsPerOp: Math.max(0, cost.cpuMs - idleCpuMs) / operations,
        notes: { ...result.notes, idleCpuMsPerSec },
      }
    },
  }
}

/** CPU milliseconds that a system uses per second while it waits. */
async function idleCpu(context: CaseContext): Promise<number> {
  await sleep(idle.settleMs)
  const meter = new Meter(context.system)
  await sleep(idle.windowMs)
  return meter.stop(1).cpuMs / (idle.windowMs / 1_000)
}

async function warmUp(context: CaseContext): Promise<void> {
  if (!context.timing.isFirstRound) return
  await writePaced(context, { ...pace(warmUpWrites, 4), operationsMax: warmUpWrites })
  await untilQuiet(context)
  await context.subscribers.reset()
}

/** Pauses of random length: a server that looks for events at certain times is met at all of them. */
const pauseMs = { min: 200, max: 500 }

async function writeNowAndThen(context: CaseContext, count: number): Promise<PacedWrites> {
  const all: PacedWrites = { latenciesMs: [], acknowledged: new Map() }
  for (let n = 0; n < count; n++) {
    await sleep(pauseMs.min + Math.random() * (pauseMs.max - pauseMs.min))
    const one = await writePaced(context, { ...pace(1, 1), operationsMax: 1 })
    all.latenciesMs.push(...one.latenciesMs)
    for (const [rkey, atMs] of one.acknowledged) all.acknowledged.set(rkey, atMs)
  }
  return all
}

/**
 * Operations are messages delivered. Their cost is what the processes that send them use more, beside a paced
 * writer, than beside the same writer without subscribers: what others do for a write is the same in both windows,
 * and hides so small a difference.
 */
function subscribeLive(params: { subscribers: number; writesPerSec: number }): BenchCase {
  return {
    name: 'subscribeLive',
    params,
    isQuick: params.subscribers === 100,
    quickRounds: 1,
    measure: async (context) => {
      const { timing, subscribers, system } = context
      const windowMs = Math.max(timing.windowMs, liveWindowMsMin)
      const operationsMax = Math.ceil((params.writesPerSec * windowMs) / 1_000)
      const writing = { ...pace(params.writesPerSec, 16), operationsMax }
      await warmUp(context)
      const alone = new Meter(system)
      await writePaced(context, writing)
      await untilQuiet(context)
      const without = alone.stop(operationsMax)
      await using _ = await subscribed(context, params.subscribers)
      await context.observer.begin()
      const meter = new Meter(system)
      const startMs = monotonicMs()
      const writes = await writePaced(context, writing)
      await arrived(context, operationsMax * params.subscribers)
      await untilQuiet(context)
      const tally = await subscribers.report()
      const operations = sum(tally.messages)
      const whole = meter.stop(operations)
      await context.observer.end(operations)
      const senders = ({ perOperation }: Cost, count: number) =>
        (perOperation.cpuMsPerOpByRole[system.firehoseRole] ?? 0) * count
      const senderCpuMs = senders(whole, operations) - senders(without, operationsMax)
      const result = measurement({ cost: whole, tally, writes, operations })
      return {
        ...result,
        cpuMsPerOp: Math.max(0, senderCpuMs) / operations,
        opsPerSec: operations / ((tally.lastMs - startMs) / 1_000),
        notes: {
          ...result.notes,
          cpuMsPerWriteAlone: without.perOperation.cpuMsPerOp,
          allRolesCpuMsPerOp: (whole.cpuMs - without.cpuMs) / operations,
        },
      }
    },
  }
}

/**
 * Subscribers of one firehose process that read the whole log from its start, over and over. A process that has run
 * all along may still hold it in memory; one that was restarted has to read what is older from its store.
 */
function subscribeBackfill(count: number, firehose: 'running' | 'restarted'): BenchCase {
  return {
    name: 'subscribeBackfill',
    params: { subscribers: count, firehose },
    isQuick: firehose === 'restarted',
    quickRounds: 1,
    measure: async (context) => {
      const { system, subscribers, timing } = context
      const events = await eventsInLog(context)
      const repeatAfter = events
      if (firehose === 'restarted') await system.restartFirehoses()
      await subscribers.subscribe({ servers: system.firehoses().slice(0, 1), count, cursor: 0, repeatAfter })
      try {
        await sleep(Math.max(timing.warmUpMs, backfillWarmUpMsMin))
        await context.observer.begin()
        await subscribers.reset()
        const meter = new Meter(system)
        await sleep(Math.max(timing.windowMs, 2_000))
        const tally = await subscribers.report()
        const operations = sum(tally.messages)
        if (operations === 0) throw new BenchError('no event was delivered')
        const cost = meter.stop(operations)
        await context.observer.end(operations)
        const { perOperation, elapsedMs } = cost
        return {
          opsPerSec: operations / (elapsedMs / 1_000),
          // A stream has no answers to wait for.
          p50Ms: Number.NaN,
          p99Ms: Number.NaN,
          ...perOperation,
          clientCpuMsPerOp: tally.cpuMs / operations,
          failures: tally.ended,
          notes: {
            eventsInLog: events,
            eventsOfSlowest: Math.min(...tally.messages),
            eventsOfFastest: Math.max(...tally.messages),
          },
        }
      } finally {
        await subscribers.close()
      }
    },
  }
}

/** Makes sure that there is something to read, and counts it, once for each system. */
async function eventsInLog(context: CaseContext): Promise<number> {
  const known = counted.get(context.system)
  if (known !== undefined) return known
  const events = await fillAndCount(context)
  counted.set(context.system, events)
  return events
}

async function fillAndCount(context: CaseContext): Promise<number> {
  const { system, fixtures, timing } = context
  const found = await countEvents(context)
  const missing = eventsMin[system.name][timing.isQuick ? 'quick' : 'full'] - found
  if (missing <= 0) return found
  const account = roundRobin(await fixtures.accounts(100))
  const next = () => ({ request: createRecord(account(), fixtures.number()) })
  await measureLoad({ system, concurrency: 64, extent: { operations: missing }, next })
  return countEvents(context)
}

async function countEvents({ system, subscribers }: CaseContext): Promise<number> {
  await subscribers.subscribe({ servers: system.firehoses().slice(0, 1), count: 1, cursor: 0 })
  await untilQuiet({ subscribers }, 1_000)
  const { messages } = await subscribers.report()
  await subscribers.close()
  return sum(messages)
}

async function subscribed({ system, subscribers }: CaseContext, count: number): Promise<AsyncDisposable> {
  await subscribers.subscribe({ servers: system.firehoses(), count })
  await subscribers.reset()
  return { [Symbol.asyncDispose]: () => subscribers.close() }
}

function pace(perSecond: number, connections: number) {
  return { perSecond, connections, signal: new AbortController().signal }
}

/** How long the last messages may take to arrive, in milliseconds. */
const arrivalMsMax = 20_000

/** Waits until so many messages came; whatever is missing after a while is a failure of the case's figures. */
async function arrived({ subscribers }: CaseContext, messages: number): Promise<void> {
  const deadline = performance.now() + arrivalMsMax
  while (sum((await subscribers.report()).messages) < messages && performance.now() < deadline)
    await sleep(100)
}

/** Waits until no message has come for a while. */
async function untilQuiet({ subscribers }: Pick<CaseContext, 'subscribers'>, quietMs = 300): Promise<void> {
  for (let before = -1; ;) {
    const now = sum((await subscribers.report()).messages)
    if (now === before) return
    before = now
    await sleep(quietMs)
  }
}

function measurement(of: { cost: Cost; tally: Tally; writes: PacedWrites; operations: number }): Measurement {
  const { cost, tally, writes, operations } = of
  const delays = tally.arrivals.flatMap(([rkey, atMs]) => {
    const acknowledgedMs = writes.acknowledged.get(rkey)
    return acknowledgedMs === undefined ? [] : [atMs - acknowledgedMs]
  })
  if (delays.length === 0) throw new BenchError('no written record arrived on the firehose')
  delays.sort((a, b) => a - b)
  return {
    opsPerSec: operations / (cost.elapsedMs / 1_000),
    p50Ms: percentile(delays, 0.5),
    p99Ms: percentile(delays, 0.99),
    ...cost.perOperation,
    clientCpuMsPerOp: tally.cpuMs / operations,
    failures: tally.ended,
    notes: { messagesMin: Math.min(...tally.messages), messagesMax: Math.max(...tally.messages) },
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
