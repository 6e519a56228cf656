/**
 * What sends traces, metrics and the log by OTLP. It is loaded only in processes that are to send any, before what
 * traces watch: they replace functions of modules as they are loaded.
 */
import { register } from 'node:module'

import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import {
  AggregationType,
  type MetricReader,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node'
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'
import type { Registry } from 'prom-client'

import { beginSpans } from '../tracing/spans.ts'
import { type OtlpOptions, type OtlpProtocol, otlpSignals } from './otlp-options.ts'
import { registryProducer } from './registry-producer.ts'

/**
 * Begins to send what `options` say, with one resource for all of it. Statements are sent without their values.
 *
 * @param registry the metrics of the process.
 */
export async function startOtlp(role: string, options: OtlpOptions, registry: Registry): Promise<void> {
  const signals = otlpSignals(options)
  const sdk = new NodeSDK({
    serviceName: options.serviceName ?? `rookery-${role}`,
    ...(signals.traces ? tracing(options) : { spanProcessors: [] }),
    ...(signals.logs ? {} : { logRecordProcessors: [] }),
    metricReaders: signals.metrics ? [await metricReader(options, registry)] : [],
    // What instrumentations measure by themselves, the registry holds under our names.
    views: [{ instrumentName: '*', aggregation: { type: AggregationType.DROP } }],
  })
  sdk.start()
  if (signals.traces) beginSpans()
  // The loop is empty when everything else has ended; `runService` bounds what comes then.
  process.once('beforeExit', () => void sdk.shutdown())
}

function tracing({ tracesSampler, tracedShare }: OtlpOptions): Partial<NodeSDKConfiguration> {
  // Node loads an import of CommonJS past `require`, where it would be met; pg is met inside of its own files.
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url, { data: { include: ['ioredis'] } })
  return {
    ...(tracesSampler === undefined
      ? { sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(tracedShare) }) }
      : {}),
    instrumentations: [
      // What polls or waits in the background is nobody's trace.
      new HttpInstrumentation({
        ignoreIncomingRequestHook: ({ url = '' }) => internalPaths.has(url),
        requireParentforOutgoingSpans: true,
      }),
      new PgInstrumentation({ requireParentSpan: true }),
      new IORedisInstrumentation({ requireParentSpan: true }),
      new UndiciInstrumentation({ requireParentforSpans: true }),
    ],
  }
}

const internalPaths = new Set(['/livez', '/readyz', '/metrics'])

async function metricReader(options: OtlpOptions, registry: Registry): Promise<MetricReader> {
  const startedMs = Date.now() - process.uptime() * 1_000
  return new PeriodicExportingMetricReader({
    exporter: await metricExporter(options.metricsProtocol ?? options.protocol),
    exportIntervalMillis: options.metricsEveryMs,
    metricProducers: [registryProducer(registry, startedMs)],
  })
}

const exporterModules = {
  grpc: () => import('@opentelemetry/exporter-metrics-otlp-grpc'),
  'http/json': () => import('@opentelemetry/exporter-metrics-otlp-http'),
  'http/protobuf': () => import('@opentelemetry/exporter-metrics-otlp-proto'),
}

async function metricExporter(protocol: OtlpProtocol): Promise<PushMetricExporter> {
  const { OTLPMetricExporter } = await exporterModules[protocol]()
  return new OTLPMetricExporter()
}
