import { hourMs, minuteMs } from '@rookery/std'
import { z } from 'zod'

import { choice, flag, integer, text, url } from './parsers.ts'
import { defaulted, optional } from './variable.ts'

const serving = ['api', 'firehose', 'sequencer', 'worker'] as const

/** What is sent by OTLP: the names that OpenTelemetry gave these variables. */
export const telemetryVariables = {
  isDisabled: defaulted({
    env: 'OTEL_SDK_DISABLED',
    description: 'Whether nothing at all is sent by OTLP.',
    schema: flag,
    default: 'false',
    roles: serving,
  }),
  endpoint: optional({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    description:
      'Where traces, metrics and the log are sent by OTLP, as a URL such as http://collector:4318; unset: what has no endpoint of its own is not sent. Other variables of OpenTelemetry (OTEL_BSP_…, OTEL_BLRP_…) mean what they mean everywhere.',
    schema: url('http', 'https'),
    roles: serving,
  }),
  tracesEndpoint: optional({
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    description: 'Where traces are sent instead, with the path: http://collector:4318/v1/traces.',
    schema: url('http', 'https'),
    roles: serving,
  }),
  metricsEndpoint: optional({
    env: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    description: 'Where metrics are sent instead, with the path: http://collector:4318/v1/metrics.',
    schema: url('http', 'https'),
    roles: serving,
  }),
  logsEndpoint: optional({
    env: 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
    description: 'Where log lines are sent instead, with the path: http://collector:4318/v1/logs.',
    schema: url('http', 'https'),
    roles: serving,
  }),
  tracesExporter: defaulted({
    env: 'OTEL_TRACES_EXPORTER',
    description: '`none` sends no traces.',
    schema: choice('otlp', 'none'),
    default: 'otlp',
    roles: serving,
  }),
  metricsExporter: defaulted({
    env: 'OTEL_METRICS_EXPORTER',
    description: '`none` sends no metrics.',
    schema: choice('otlp', 'none'),
    default: 'otlp',
    roles: serving,
  }),
  logsExporter: defaulted({
    env: 'OTEL_LOGS_EXPORTER',
    description: '`none` sends no logs.',
    schema: choice('otlp', 'none'),
    default: 'otlp',
    roles: serving,
  }),
  protocol: defaulted({
    env: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    description: 'How it is sent: http/protobuf, http/json or grpc.',
    schema: choice('http/protobuf', 'http/json', 'grpc'),
    default: 'http/protobuf',
    roles: serving,
  }),
  metricsProtocol: optional({
    env: 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
    description: 'How metrics are sent, if otherwise.',
    schema: choice('http/protobuf', 'http/json', 'grpc'),
    roles: serving,
  }),
  tracesProtocol: optional({
    env: 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    description: 'How traces are sent, if otherwise.',
    schema: choice('http/protobuf', 'http/json', 'grpc'),
    roles: serving,
  }),
  logsProtocol: optional({
    env: 'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL',
    description: 'How log lines are sent, if otherwise.',
    schema: choice('http/protobuf', 'http/json', 'grpc'),
    roles: serving,
  }),
  headers: optional({
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    description: 'Headers of what is sent, such as a key for the collector: name=value, separated by commas.',
    schema: text,
    roles: serving,
    secret: true,
  }),
  resourceAttributes: optional({
    env: 'OTEL_RESOURCE_ATTRIBUTES',
    description: 'What everything that is sent says of where it comes from: name=value, separated by commas.',
    schema: text,
    roles: serving,
  }),
  metricsEveryMs: defaulted({
    env: 'OTEL_METRIC_EXPORT_INTERVAL',
    description: 'Milliseconds between two pushes of metrics.',
    schema: integer(100, hourMs),
    default: String(minuteMs),
    roles: serving,
  }),
  serviceName: optional({
    env: 'OTEL_SERVICE_NAME',
    description: 'Name of the service in everything that is sent; unset: rookery- and the role.',
    schema: text,
    roles: serving,
  }),
  tracesSampler: optional({
    env: 'OTEL_TRACES_SAMPLER',
    description:
      'Which requests are traced; unset: parentbased_traceidratio with the share of OTEL_TRACES_SAMPLER_ARG.',
    schema: choice(
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ),
    roles: serving,
  }),
  tracedShare: defaulted({
    env: 'OTEL_TRACES_SAMPLER_ARG',
    description:
      'Part of the requests that are traced, from 0 to 1, unless the caller has decided for its trace.',
    schema: z.coerce.number('expected a number').min(0, 'expected 0 to 1').max(1, 'expected 0 to 1'),
    default: '0.01',
    roles: serving,
  }),
}
