import { logBusinessEvents } from './business-events.ts'
import { type Logger, createLogger } from './logger.ts'
import { metrics } from './metrics.ts'
import { type OtlpOptions, otlpSignals } from './otlp/otlp-options.ts'

export type TelemetryOptions = {
  /** Which kind of process this is. */
  role: string
  /** Least severe level that is logged. */
  logLevel: string
  /** What is sent besides, and where. */
  otlp: OtlpOptions
}

/**
 * Starts the log, the metrics and, if there is somewhere to send any of it, OTLP. To be called before what is to be
 * traced is imported: PostgreSQL's and Redis' clients, and Fastify.
 *
 * @returns the log.
 */
export async function startTelemetry({ role, logLevel, otlp }: TelemetryOptions): Promise<Logger> {
  const signals = otlpSignals(otlp)
  const log = createLogger(role, logLevel, { isTraced: signals.traces, isSent: signals.logs })
  metrics.start(role)
  logBusinessEvents(log)
  if (!signals.traces && !signals.metrics && !signals.logs) return log
  const { startOtlp } = await import('./otlp/start-otlp.ts')
  await startOtlp(role, otlp, metrics.registry)
  return log
}
