import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { missingRecords } from '../support/missing-records.ts'
import { type Stack, type StackFile, startStack } from '../support/stack.ts'
import { Subscriber } from '../support/subscriber.ts'
import { until } from '../support/until.ts'
import { WriterLoad } from '../support/writer-load.ts'

// DESIGN: a leader that dies or stalls is replaced within its lease.
const leaseMs = 5_000

let stack: Stack
let load: WriterLoad
let witness: Subscriber

beforeAll(async () => {
  stack = await startStack()
  const { hosts } = await stack.read()
  load = await WriterLoad.start({ url: hosts[0]!.url, accounts: 10, writesPerSecond: 60, name: 'chaos' })
  witness = new Subscriber(hosts[0]!.url, { cursor: 0 })
}, 240_000)

afterAll(async () => {
  await load[Symbol.asyncDispose]()
  process.stdout.write(`chaos: ${load.summary()}\n`)
  await witness[Symbol.asyncDispose]()
  await stack[Symbol.asyncDispose]()
}, 90_000)

describe.each(['api', 'firehose', 'worker'])('SIGKILL of one %s', (role) => {
  test('is repaired by the supervisor', async () => {
    const victim = await find(role)
    process.kill(victim.pid, 'SIGKILL')
    await replaced(role, victim.pid)
    await nothingIsLost()
  }, 180_000)
})

describe('the sequencer', () => {
  test('SIGKILL of the leader hands over to the standby', async () => {
    const { processes } = await stack.read()
    const pids = processes.filter(({ role }) => role === 'sequencer').map(({ pid }) => pid)
    for (const pid of pids) {
      process.kill(pid, 'SIGKILL')
      await replaced('sequencer', pid)
      await eventsGoOn(3 * leaseMs)
    }
    await nothingIsLost()
  }, 240_000)

  test('a leader that is stopped for twice its lease and continued does no harm', async () => {
    const { processes } = await stack.read()
    const pids = processes.filter(({ role }) => role === 'sequencer').map(({ pid }) => pid)
    for (const pid of pids) {
      process.kill(pid, 'SIGSTOP')
      const stoppedAtMs = Date.now()
      await eventsGoOn(3 * leaseMs)
      await until(() => Date.now() - stoppedAtMs > 2 * leaseMs, { what: 'twice the lease' })
      process.kill(pid, 'SIGCONT')
      await eventsGoOn(3 * leaseMs)
    }
    await nothingIsLost()
  }, 240_000)
})

describe('Redis', () => {
  test('FLUSHALL loses nothing', async () => {
    const redis = new Redis((await stack.read()).redisUrl)
    await redis.flushall()
    redis.disconnect()
    await eventsGoOn(3 * leaseMs)
    await nothingIsLost()
  }, 180_000)

  test('a restart loses nothing', async () => {
    const victim = await find('redis')
    process.kill(victim.pid, 'SIGKILL')
    await replaced('redis', victim.pid)
    await eventsGoOn(3 * leaseMs)
    await nothingIsLost()
  }, 180_000)
})

describe('whatever could not be written meanwhile', () => {
  test('was answered with 503: try again', () => {
    expect([...load.failures.keys()].filter((kind) => !kind.startsWith('503 '))).toEqual([])
  })
})

test('a restart of Postgres is an outage, not a loss', async () => {
  const victim = await find('postgres')
  process.kill(victim.pid, 'SIGQUIT')
  await replaced('postgres', victim.pid)
  await eventsGoOn(30_000)
  await nothingIsLost()
}, 180_000)

async function find(role: string): Promise<StackFile['processes'][number]> {
  const found = (await stack.read()).processes.find((process) => process.role === role)
  if (found === undefined) throw new Error(`stack.json lists no ${role}`)
  return found
}

/** Resolves when the list of processes has another pid in place of the old one. */
async function replaced(role: string, pid: number): Promise<void> {
  const before = (await stack.read()).processes.filter((process) => process.role === role).length
  await until(
    async () => {
      const now = (await stack.read()).processes.filter((process) => process.role === role)
      return now.length >= before && now.every((process) => process.pid !== pid)
    },
    { what: `a new ${role}`, timeoutMs: 30_000 },
  )
}

async function writesGoOn(): Promise<void> {
  const count = load.acknowledged.length
  await until(() => load.acknowledged.length > count + 30, { what: 'writes to go on', timeoutMs: 60_000 })
}

/** Resolves when an event of a write acknowledged from now on has reached a subscriber. */
async function eventsGoOn(timeoutMs: number): Promise<void> {
  await reconnectedWitness()
  const fromMs = Date.now()
  await until(
    async () => {
      await reconnectedWitness()
      const revs = new Set(load.acknowledged.filter(({ atMs }) => atMs > fromMs).map(({ rev }) => rev))
      return witness.messages.some(({ body }) => revs.has(String(body['rev'])))
    },
    { what: 'events to go on', timeoutMs },
  )
}

/** A pod that dies takes its sockets along: come back at the last cursor, as a relay does. */
async function reconnectedWitness(): Promise<void> {
  if (!witness.isClosed) return
  const cursor = witness.lastSeq
  witness = new Subscriber((await stack.read()).hosts[0]!.url, { cursor })
  await witness.opened.catch(() => {})
}

/** While writes go on: everything acknowledged is there, in one history that both pods tell. */
async function nothingIsLost(): Promise<void> {
  await writesGoOn()
  const { hosts, processes } = await stack.read()
  const acknowledged = [...load.acknowledged]
  const lastRevs = new Set(load.dids.map((did) => acknowledged.findLast((write) => write.did === did)?.rev))
  const pods = processes.filter(({ role }) => role === 'firehose').map(({ url }) => url!)
  const [first, second] = await Promise.all(pods.map((url) => replay(url, hosts[0]!.hostname, lastRevs)))
  const length = Math.min(first!.length, second!.length)
  expect(
    first!
      .slice(0, length)
      .map(({ bytes }) => bytes)
      .every((bytes, n) => bytes.equals(second![n]!.bytes)),
    'both pods tell one history',
  ).toBe(true)
  const emitted = new Set(first!.map(({ body }) => `${String(body['repo'])} ${String(body['rev'])}`))
  expect(
    acknowledged.filter(({ did, rev }) => !emitted.has(`${did} ${rev}`)),
    'acknowledged writes without an event',
  ).toEqual([])
  expect(await missingRecords(hosts[0]!.url, load), 'acknowledged records that are not there').toEqual([])
}

/** Reads everything from the beginning until the given commits have passed; a new pod may need a moment to listen. */
async function replay(url: string, host: string, revs: ReadonlySet<string | undefined>) {
  let subscriber = new Subscriber(url, { host, cursor: 0 })
  await until(
    () => {
      if (subscriber.isClosed) subscriber = new Subscriber(url, { host, cursor: 0 })
      const seen = new Set(subscriber.messages.map(({ body }) => body['rev']))
      return [...revs].every((rev) => rev === undefined || seen.has(rev))
    },
    {
      what: `a whole replay from ${url}; notices ${JSON.stringify(subscriber.notices)}`,
      timeoutMs: 60_000,
    },
  )
  await subscriber[Symbol.asyncDispose]()
  return [...subscriber.messages]
}
