import pino from 'pino'

import { otlpLogStream } from './otlp/log-stream.ts'
import { traceFields } from './tracing/spans.ts'

/** Structured logger; every role has one, children carry request, host, tenant and account. */
export type Logger = pino.Logger

/** Paths whose values never reach the log. */
const secretPaths = [
  'password',
  'authorization',
  'cookie',
  'token',
  'accessJwt',
  'refreshJwt',
  'secret',
  'dpop',
  'email',
  '*.password',
  '*.authorization',
  '*.cookie',
  '*.token',
  '*.accessJwt',
  '*.refreshJwt',
  '*.secret',
  '*.dpop',
  '*.email',
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers.dpop',
]

/**
 * Returns the logger of a process: one JSON object a line on standard output, secrets replaced.
 *
 * @param role which kind of process this is.
 * @param level least severe level that is written.
 * @param options.isTraced whether lines say which trace they belong to. Default false.
 * @param options.isSent whether lines are sent by OTLP too. Default false.
 */
export function createLogger(
  role: string,
  level: string,
  options: { isTraced?: boolean; isSent?: boolean } = {},
): Logger {
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      ...(options.isTraced === true ? { mixin: traceFields } : {}),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: '[redacted]' },
    },
    options.isSent === true
      ? pino.multistream([pino.destination(1), otlpLogStream()].map((stream) => ({ level: 0, stream })))
      : pino.destination(1),
  )
}
