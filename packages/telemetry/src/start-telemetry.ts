import { type Logger, createLogger } from './logger.ts'
import { logBusinessEvents } from './business-events.ts'
import { metrics } from './metrics.ts'

export type TelemetryOptions = {
  /** Which kind of process this is. */
  role: string
  /** Least severe level that is logged. */
  logLevel: string
  /** Where traces go; without it there are none. */
  otlpEndpoint: string | undefined
  /** Part of the traces that is made, from 0 to 1. */
  tracedShare: number
}

/**
 * Starts the log, the metrics and, if there is somewhere to send them, the traces of a process. To be called before
 * what is to be traced is imported: PostgreSQL's and Redis' clients, and Fastify.
 *
 * @returns the log.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Logger> {
  const { role, logLevel, otlpEndpoint, tracedShare } = options
  const isTraced = otlpEndpoint !== undefined
  const log = createLogger(role, logLevel, { isTraced })
  metrics.start(role)
  logBusinessEvents(log)
  if (!isTraced) return log
  const { startTracing } = await import('./tracing/start-tracing.ts')
  startTracing(role, tracedShare)
  return log
}
