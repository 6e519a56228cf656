import { setTimeout as sleep } from 'node:timers/promises'

import { BenchError } from '../bench-error.ts'
import { type Cost, Meter, measureLoad } from '../closed-loop.ts'
import { monotonicMs } from '../firehose/clock.ts'
import type { Tally } from '../firehose/subscribers-process.ts'
import { createRecord } from '../fixtures/records.ts'
import { type Measurement, percentile } from '../statistics.ts'
import { type BenchCase, type CaseContext, roundRobin } from './bench-case.ts'
import { type PacedWrites, writePaced } from './paced.ts'

/** Live subscribers, and writes per second that both systems might keep up with. */
const live = [
  { subscribers: 1, writesPerSec: 50 },
  { subscribers: 100, writesPerSec: 50 },
  { subscribers: 1_000, writesPerSec: 20 },
]

/** Events that are in the log, at least, before a backfill. */
const eventsMin = { quick: 1_000, full: 20_000 }

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
    measure: async (context) => {
      const operations = context.timing.isQuick ? 6 : 50
      await using _ = await subscribed(context, 1)
      await context.observer.begin()
      const meter = new Meter(context.system)
      const writes = await writeNowAndThen(context, operations)
      await arrived(context, operations)
      const cost = meter.stop(operations)
      await context.observer.end(operations)
      const tally = await context.subscribers.report()
      return measurement({ cost, tally, writes, operations })
    },
  }
}

/** Pauses of random length: a server that looks for events at certain times is met at all of them. */
const pauseMs = { min: 300, max: 700 }

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

/** Operations are messages delivered; their cost is what a paced writer costs more than without subscribers. */
function subscribeLive(params: { subscribers: number; writesPerSec: number }): BenchCase {
  return {
    name: 'subscribeLive',
    params,
    isQuick: params.subscribers === 100,
    measure: async (context) => {
      const { timing, subscribers, system } = context
      const operationsMax = Math.ceil((params.writesPerSec * timing.windowMs) / 1_000)
      const writing = { ...pace(params.writesPerSec, 16), operationsMax }
      const alone = new Meter(system)
      await writePaced(context, writing)
      await untilQuiet(context)
      const writeCpuMs = alone.stop(operationsMax).cpuMs
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
      const cpuMsPerOp = Math.max(0, whole.cpuMs - writeCpuMs) / operations
      const result = measurement({ cost: whole, tally, writes, operations })
      return {
        ...result,
        cpuMsPerOp,
        opsPerSec: operations / ((tally.lastMs - startMs) / 1_000),
        notes: { ...result.notes, cpuMsPerWriteAlone: writeCpuMs / operationsMax },
      }
    },
  }
}

/**
 * Subscribers that read the whole log from its start, over and over. A firehose process that has run all along may
 * still hold it in memory; one that was restarted has to read what is older from its store.
 */
function subscribeBackfill(count: number, firehose: 'running' | 'restarted'): BenchCase {
  return {
    name: 'subscribeBackfill',
    params: { subscribers: count, firehose },
    isQuick: firehose === 'restarted',
    measure: async (context) => {
      const { system, subscribers, timing } = context
      const events = await eventsInLog(context)
      const repeatAfter = events
      if (firehose === 'restarted') await system.restartFirehoses()
      await subscribers.subscribe({ servers: system.firehoses(), count, cursor: 0, repeatAfter })
      try {
        await sleep(timing.warmUpMs)
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

/** Makes sure that there is something to read, and counts it. */
async function eventsInLog(context: CaseContext): Promise<number> {
  const { system, fixtures, subscribers, timing } = context
  const wanted = timing.isQuick ? eventsMin.quick : eventsMin.full
  const missing = wanted - fixtures.used()
  if (missing > 0) {
    const account = roundRobin(await fixtures.accounts(100))
    const next = () => ({ request: createRecord(account(), fixtures.number()) })
    await measureLoad({ system, concurrency: 16, extent: { operations: missing }, next })
  }
  await subscribers.subscribe({ servers: system.firehoses().slice(0, 1), count: 1, cursor: 0 })
  await untilQuiet(context, 1_500)
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
async function untilQuiet({ subscribers }: CaseContext, quietMs = 300): Promise<void> {
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
