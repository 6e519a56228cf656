import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A span that a process sent. */
export type ReceivedSpan = {
  /** Name of the process' service. */
  service: string
  name: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  attributes: Record<string, unknown>
}

/** A server that takes traces, metrics and logs by OTLP over HTTP, as JSON. */
export type OtlpReceiver = AsyncDisposable & {
  url: string
  spans: ReceivedSpan[]
  /** Names of the metrics that came, by service. */
  metrics: Map<string, Set<string>>
  logs: { service: string; text: string; traceId: string }[]
}

type Attribute = { key: string; value: Record<string, unknown> }
type Resource = { attributes: Attribute[] }
type MetricsBody = {
  resourceMetrics: { resource: Resource; scopeMetrics: { metrics: { name: string }[] }[] }[]
}
type LogsBody = {
  resourceLogs: {
    resource: Resource
    scopeLogs: { logRecords: { body: { stringValue: string }; traceId?: string }[] }[]
  }[]
}
type Body = {
  resourceSpans: {
    resource: Resource
    scopeSpans: {
      spans: {
        name: string
        traceId: string
        spanId: string
        parentSpanId?: string
        attributes: Attribute[]
      }[]
    }[]
  }[]
}

/** Starts a receiver on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const metrics: OtlpReceiver['metrics'] = new Map()
  const logs: OtlpReceiver['logs'] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      if (request.url === '/v1/traces') spans.push(...readSpans(body as Body))
      if (request.url === '/v1/metrics') readMetrics(body as MetricsBody, metrics)
      if (request.url === '/v1/logs') logs.push(...readLogs(body as LogsBody))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    metrics,
    logs,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function readSpans({ resourceSpans }: Body): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map(({ attributes, parentSpanId, ...span }) => ({
        ...span,
        service: serviceOf(resource),
        parentSpanId: parentSpanId || undefined,
        attributes: valuesOf(attributes),
      })),
    ),
  )
}

function readMetrics({ resourceMetrics }: MetricsBody, into: OtlpReceiver['metrics']): void {
  for (const { resource, scopeMetrics } of resourceMetrics) {
    const names = into.get(serviceOf(resource)) ?? new Set()
    into.set(serviceOf(resource), names)
    for (const { name } of scopeMetrics.flatMap((scope) => scope.metrics)) names.add(name)
  }
}

function readLogs({ resourceLogs }: LogsBody): OtlpReceiver['logs'] {
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ body, traceId }) => ({
        service: serviceOf(resource),
        text: body.stringValue,
        traceId: traceId ?? '',
      })),
    ),
  )
}

function serviceOf({ attributes }: Resource): string {
  return String(valuesOf(attributes)['service.name'])
}

function valuesOf(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
