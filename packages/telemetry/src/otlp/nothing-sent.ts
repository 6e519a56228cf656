import type { OtlpOptions } from './otlp-options.ts'

/** The defaults of all variables, for tests. */
export const nothingSent: OtlpOptions = {
  isDisabled: false,
  endpoint: undefined,
  tracesEndpoint: undefined,
  metricsEndpoint: undefined,
  logsEndpoint: undefined,
  tracesExporter: 'otlp',
  metricsExporter: 'otlp',
  logsExporter: 'otlp',
  protocol: 'http/protobuf',
  metricsProtocol: undefined,
  metricsEveryMs: 60_000,
  serviceName: undefined,
  tracesSampler: undefined,
  tracedShare: 0.01,
}
