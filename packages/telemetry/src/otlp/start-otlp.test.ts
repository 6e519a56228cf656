import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { metrics } from '../metrics.ts'
import { startTelemetry } from '../start-telemetry.ts'
import { inSpanOf } from '../tracing/spans.ts'
import { nothingSent } from './nothing-sent.ts'

type Attribute = { key: string; value: Record<string, unknown> }
type Resource = { attributes: Attribute[] }
type Logs = {
  resourceLogs: {
    resource: Resource
    scopeLogs: {
      logRecords: { body: object; traceId: string; severityText: string; attributes: Attribute[] }[]
    }[]
  }[]
}
type Metrics = {
  resourceMetrics: {
    resource: Resource
    scopeMetrics: { metrics: { name: string; sum?: object; histogram?: object }[] }[]
  }[]
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const received: { path: string; type: string; body: Buffer }[] = []
const server = createServer((request, response) => {
  void buffer(request).then((body) => {
    received.push({ path: request.url ?? '', type: request.headers['content-type'] ?? '', body })
    response.writeHead(200, { 'content-type': request.headers['content-type'] }).end()
  })
})

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint)
  vi.stubEnv('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json')
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=test')
  for (const delay of ['OTEL_BSP_SCHEDULE_DELAY', 'OTEL_BLRP_SCHEDULE_DELAY']) vi.stubEnv(delay, '50')
  metrics.add('rookery_tls_checks_total', { status: '200' }, 3)
  for (const seconds of [0.001, 0.3, 99])
    metrics.observe('rookery_upstream_seconds', { outcome: '2xx' }, seconds)
  const otlp = {
    ...nothingSent,
    endpoint,
    protocol: 'http/json',
    metricsEveryMs: 100,
    tracedShare: 1,
  } as const
  const log = await startTelemetry({ role: 'test', logLevel: 'warn', otlp })
  await inSpanOf(`00-${traceId}-b7ad6b7169203331-01`, 'job mail', async () =>
    log.child({ requestId: 'one' }).warn({ password: 'hunter2', attempts: 3 }, 'a line of the log'),
  )
})

afterAll(() => server.close())

/** Returns the first body that came to a path. */
async function bodyOf<T>(path: string): Promise<T> {
  const found = await vi.waitUntil(() => received.find((request) => request.path === path), {
    timeout: 10_000,
  })
  return JSON.parse(found.body.toString()) as T
}

function valuesOf(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

test('the log is sent with severity, fields and trace, and without secrets', async () => {
  const { resourceLogs } = await bodyOf<Logs>('/v1/logs')
  const record = resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!
  expect(record).toMatchObject({ body: { stringValue: 'a line of the log' }, traceId, severityText: 'WARN' })
  expect(valuesOf(record.attributes)).toEqual({
    role: 'test',
    pid: expect.anything(),
    requestId: 'one',
    password: '[redacted]',
    attempts: 3,
  })
})

test('metrics are those of the metrics page, and no others', async () => {
  const { resourceMetrics } = await bodyOf<Metrics>('/v1/metrics')
  const sent = resourceMetrics[0]!.scopeMetrics.flatMap((scope) => scope.metrics)
  const page = await metrics.page()
  const onPage = new Set(Array.from(page.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name))
  expect(sent.map(({ name }) => name).filter((name) => !onPage.has(name))).toEqual([])
  expect(sent.find(({ name }) => name === 'rookery_tls_checks_total')!.sum).toMatchObject({
    isMonotonic: true,
    dataPoints: [
      { asDouble: 3, attributes: expect.arrayContaining([{ key: 'role', value: { stringValue: 'test' } }]) },
    ],
  })
  const [point] = (
    sent.find(({ name }) => name === 'rookery_upstream_seconds')!.histogram as {
      dataPoints: { count: number; sum: number; bucketCounts: number[]; explicitBounds: number[] }[]
    }
  ).dataPoints
  expect(point).toMatchObject({ count: 3, sum: 99.301 })
  const { bucketCounts, explicitBounds } = point!
  expect(bucketCounts).toHaveLength(explicitBounds.length + 1)
  expect(bucketCounts.flatMap((count, i) => (count > 0 ? [explicitBounds[i]] : []))).toEqual([
    0.001,
    0.5,
    undefined,
  ])
})

test('traces, metrics and the log say the same of where they come from', async () => {
  const { resourceLogs } = await bodyOf<Logs>('/v1/logs')
  const { resourceMetrics } = await bodyOf<Metrics>('/v1/metrics')
  const { resourceSpans } = await bodyOf<{ resourceSpans: { resource: Resource }[] }>('/v1/traces')
  const [ofLogs, ofMetrics, ofSpans] = [resourceLogs, resourceMetrics, resourceSpans].map(([first]) =>
    valuesOf(first!.resource.attributes),
  )
  expect(ofLogs).toMatchObject({
    'service.name': 'rookery-test',
    'service.instance.id': expect.any(String),
    'deployment.environment.name': 'test',
  })
  expect(ofMetrics).toEqual(ofLogs)
  expect(ofSpans).toEqual(ofLogs)
})
