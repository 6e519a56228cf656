/**
 * What makes traces. It is loaded only in processes that are to make them, before what it watches: it replaces
 * functions of modules as they are loaded.
 */
import { register } from 'node:module'

import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'

/**
 * Begins to make traces and to send them where `OTEL_EXPORTER_OTLP_…` says; the SDK reads the other variables of
 * OpenTelemetry by itself. Statements are sent without their values.
 *
 * @param share part of the traces that is made, from 0 to 1, where the caller does not decide.
 */
export function startTracing(role: string, share: number): void {
  // Node loads an import of CommonJS past `require`, where it would be met; pg is met inside of its own files.
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url, { data: { include: ['ioredis'] } })
  const sdk = new NodeSDK({
    serviceName: `rookery-${role}`,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
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
  })
  sdk.start()
  // The loop is empty when everything else has ended; `runService` bounds what comes then.
  process.once('beforeExit', () => void sdk.shutdown())
}

const internalPaths = new Set(['/livez', '/readyz', '/metrics'])
