import { expect, test } from 'vitest'

import { BoundedCount, largest } from './bounded-count.ts'
import { businessEvent, logBusinessEvents } from './business-events.ts'
import { cacheTally } from './cache-tally.ts'
import { countDatabaseError } from './database-errors.ts'
import { metrics } from './metrics.ts'

async function lines(name: string): Promise<string[]> {
  return (await metrics.page()).split('\n').filter((line) => line.startsWith(name))
}

test('counters and histograms have what was added', async () => {
  metrics.add('rookery_tls_checks_total', { status: '200' })
  metrics.add('rookery_tls_checks_total', { status: '200' }, 2)
  metrics.observe('rookery_write_batch_commits', {}, 3)
  expect(await lines('rookery_tls_checks_total')).toEqual(['rookery_tls_checks_total{status="200"} 3'])
  expect(await lines('rookery_write_batch_commits_bucket{le="4"}')).toEqual([
    'rookery_write_batch_commits_bucket{le="4"} 1',
  ])
})

test('a histogram has what is at most each bound, for each set of labels, with sum and count', async () => {
  for (const value of [0.0001, 0.002, 100])
    metrics.observe('rookery_write_stage_seconds', { stage: 'plan' }, value)
  metrics.observe('rookery_write_stage_seconds', { stage: 'store' }, 0.002)
  const all = await lines('rookery_write_stage_seconds')
  expect(all.filter((line) => line.includes('store') && line.endsWith(' 1'))).not.toEqual([])
  const plan = all.filter((line) => line.includes('plan'))
  const counts = plan.filter((line) => line.includes('_bucket')).map((line) => Number(line.split(' ').at(-1)))
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  expect([counts.at(0), counts.at(-2), counts.at(-1)]).toEqual([1, 2, 3])
  expect(plan.slice(-3)).toEqual([
    'rookery_write_stage_seconds_bucket{le="+Inf",stage="plan"} 3',
    'rookery_write_stage_seconds_sum{stage="plan"} 100.0021',
    'rookery_write_stage_seconds_count{stage="plan"} 3',
  ])
  expect(await lines('rookery_write_batch_commits_count')).toHaveLength(1)
})

test('what is no number, or would make a counter smaller, is refused and changes nothing', async () => {
  const before = await metrics.page()
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => metrics.observe('rookery_write_batch_commits', {}, value)).toThrow(TypeError)
    expect(() => metrics.add('rookery_tls_checks_total', { status: '200' }, value)).toThrow(TypeError)
  }
  expect(() => metrics.add('rookery_tls_checks_total', { status: '200' }, -1)).toThrow(TypeError)
  expect(await metrics.page()).toBe(before)
})

test('what is read is read at each scrape, of several readers as their sum, and not after the last', async () => {
  let bytes = 5
  const first = metrics.read('rookery_firehose_ring_bytes', () => bytes)
  expect(await lines('rookery_firehose_ring_bytes')).toEqual(['rookery_firehose_ring_bytes 5'])
  bytes = 7
  const second = metrics.read('rookery_firehose_ring_bytes', () => 10)
  expect(await lines('rookery_firehose_ring_bytes')).toEqual(['rookery_firehose_ring_bytes 17'])
  first[Symbol.dispose]()
  expect(await lines('rookery_firehose_ring_bytes')).toEqual(['rookery_firehose_ring_bytes 10'])
  second[Symbol.dispose]()
  expect(await lines('rookery_firehose_ring_bytes')).toEqual([])
})

test('a gauge that nobody reads, or whose reader knows nothing, is not told', async () => {
  expect(await lines('rookery_event_queue_events')).toEqual([])
  using _reader = metrics.read('rookery_event_queue_events', () => [])
  expect(await lines('rookery_event_queue_events')).toEqual([])
})

test('caches tell of hits and misses', async () => {
  const tally = cacheTally('heads')
  tally.hits += 2
  tally.misses++
  expect(await lines('rookery_cache_lookups_total')).toEqual([
    'rookery_cache_lookups_total{cache="heads",result="hit"} 2',
    'rookery_cache_lookups_total{cache="heads",result="miss"} 1',
  ])
})

test('of PostgreSQL’s errors those are counted that are the server’s', async () => {
  const withCode = (code: string) => Object.assign(new Error('no'), { code })
  countDatabaseError(withCode('53100'))
  countDatabaseError(withCode('25006'), true)
  countDatabaseError(withCode('57P01'), true)
  countDatabaseError(withCode('23505'))
  countDatabaseError(withCode('57014'))
  countDatabaseError(new Error('a mistake'))
  expect(await lines('rookery_database_errors_total')).toEqual([
    'rookery_database_errors_total{kind="away"} 1',
    'rookery_database_errors_total{kind="full"} 2',
  ])
})

test('a business event is one line of the log and one count', async () => {
  const written: unknown[] = []
  const log = { info: (...line: unknown[]) => void written.push(line) }
  logBusinessEvents(log as never)
  businessEvent('accountCreated', { account: 'did:web:ann.test' })
  expect(written).toEqual([
    [{ account: 'did:web:ann.test', event: 'accountCreated' }, 'an account was created'],
  ])
  expect(await lines('rookery_events_total')).toContain('rookery_events_total{event="accountCreated"} 1')
})

test('names past the bound count as other', () => {
  const counts = new BoundedCount(2)
  for (const name of ['a', 'b', 'c', 'a', 'd']) counts.add(name)
  expect([...counts]).toEqual([
    ['a', 2],
    ['b', 1],
    ['other', 2],
  ])
  const values = new Map([
    ['small', 1],
    ['large', 9],
    ['middle', 5],
  ])
  expect(largest(values, 1)).toEqual([
    ['large', 9],
    ['other', 6],
  ])
  expect(largest(values, 3).map(([name]) => name)).toEqual(['large', 'middle', 'small'])
})
