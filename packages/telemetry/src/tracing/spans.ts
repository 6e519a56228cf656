import { SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api'

/** Set where traces are made: each look for a span of a trace costs some microseconds where there is none. */
let isTraced = false

/** Says that this process makes traces: before, it has no spans. */
export function beginSpans(): void {
  isTraced = true
}

/** Where a trace goes on in another process, as W3C's `traceparent`; undefined outside of a trace. */
export function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent
}

/** What ties a log line to the trace that it was written in; nothing outside of one. */
export function traceFields(): { traceId?: string; spanId?: string } {
  const span = trace.getActiveSpan()?.spanContext()
  return span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId }
}

/** Names the span of the request that is being served by its route: its path may hold anything. */
export function nameRequestSpan(route: string, fields: Readonly<Record<string, string>>): void {
  if (!isTraced) return
  trace
    .getActiveSpan()
    ?.updateName(route)
    .setAttributes({ 'http.route': route, ...fields })
}

/**
 * Runs work that another process asked for as a span of its trace.
 *
 * @param traceparent what `currentTraceparent` returned there; without one the work has no span.
 */
export async function inSpanOf<T>(
  traceparent: string | undefined,
  name: string,
  run: () => Promise<T>,
): Promise<T> {
  if (traceparent === undefined) return run()
  const parent = propagation.extract(context.active(), { traceparent })
  return trace
    .getTracer('rookery')
    .startActiveSpan(name, { kind: SpanKind.CONSUMER }, parent, async (span) => {
      try {
        return await run()
      } catch (error) {
        span.recordException(error as Error)
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    })
}
