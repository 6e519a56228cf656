/** What a process sends by OTLP. The variables of OpenTelemetry that are not named here its SDK reads by itself. */
export type OtlpOptions = {
  /** `OTEL_SDK_DISABLED`: nothing is sent, whatever else is said. */
  isDisabled: boolean
  /** Where everything goes that has no endpoint of its own; with neither, a signal is not made. */
  endpoint: string | undefined
  tracesEndpoint: string | undefined
  metricsEndpoint: string | undefined
  logsEndpoint: string | undefined
  tracesExporter: 'otlp' | 'none'
  metricsExporter: 'otlp' | 'none'
  logsExporter: 'otlp' | 'none'
  protocol: OtlpProtocol
  /** Protocol of metrics alone. */
  metricsProtocol: OtlpProtocol | undefined
  /** Time between two pushes of metrics, in milliseconds. */
  metricsEveryMs: number
  /** `service.name`; without it, one by role. */
  serviceName: string | undefined
  /** `OTEL_TRACES_SAMPLER`, which the SDK reads; without it `tracedShare` decides where the caller has not. */
  tracesSampler: string | undefined
  /** Part of the traces that is made, from 0 to 1. */
  tracedShare: number
}

export type OtlpProtocol = 'http/protobuf' | 'http/json' | 'grpc'

/** Which kinds of telemetry are sent. */
export type OtlpSignals = { traces: boolean; metrics: boolean; logs: boolean }

/** Returns what is to be sent: each signal that has somewhere to go and was not switched off. */
export function otlpSignals(options: OtlpOptions): OtlpSignals {
  const isSent = (exporter: string, endpoint: string | undefined): boolean =>
    !options.isDisabled && exporter === 'otlp' && (endpoint ?? options.endpoint) !== undefined
  return {
    traces: isSent(options.tracesExporter, options.tracesEndpoint),
    metrics: isSent(options.metricsExporter, options.metricsEndpoint),
    logs: isSent(options.logsExporter, options.logsEndpoint),
  }
}
