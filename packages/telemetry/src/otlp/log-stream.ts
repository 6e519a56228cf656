import { type AnyValue, SeverityNumber, logs } from '@opentelemetry/api'

const severities: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
}

type Line = Record<string, AnyValue>

/**
 * Returns a stream that sends each line of the log by OTLP, once the SDK has started. It is given what was written,
 * so secrets are replaced here too; the trace is that of whoever wrote the line.
 */
export function otlpLogStream(): { write(line: string): void } {
  const logger = logs.getLogger('rookery')
  return {
    write(line) {
      const { level, time, msg, traceId: _, spanId: __, ...attributes } = JSON.parse(line) as Line
      logger.emit({
        timestamp: new Date(String(time)),
        severityText: String(level).toUpperCase(),
        severityNumber: severities[String(level)] ?? SeverityNumber.UNSPECIFIED,
        body: msg,
        attributes,
      })
    },
  }
}
