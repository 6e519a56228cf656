import { AtpAgent } from '@atproto/api'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { type Stack, startStack } from '../support/stack.ts'
import { until } from '../support/until.ts'

let receiver: OtlpReceiver
let stack: Stack
let agent: AtpAgent

beforeAll(async () => {
  receiver = await startOtlpReceiver()
  stack = await startStack(['--s3', 'emulator'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_SAMPLER_ARG: '1',
    OTEL_BSP_SCHEDULE_DELAY: '200',
    OTEL_BLRP_SCHEDULE_DELAY: '200',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
  })
  agent = new AtpAgent({ service: (await stack.read()).hosts[0]!.url })
  const { data } = await agent.com.atproto.server.describeServer()
  await agent.createAccount({
    handle: `traced${data.availableUserDomains[0]}`,
    email: 'traced@example.org',
    password: 'a long and quiet password',
  })
}, 240_000)

afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
}, 90_000)

/** Returns the spans of the trace of a request to a method once one of them is as wanted. */
async function traceOf(method: string, wanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan[]> {
  return until(
    () => {
      const root = receiver.spans.find(({ name }) => name === `/xrpc/${method}`)
      const trace = receiver.spans.filter(({ traceId }) => traceId === root?.traceId)
      return trace.some(wanted) ? trace : undefined
    },
    {
      what: `the trace of ${method}; spans: ${[...new Set(receiver.spans.map(({ name }) => name))].join(', ')}`,
    },
  )
}

const isSql = ({ attributes }: ReceivedSpan): boolean =>
  attributes['db.system.name'] === 'postgresql' || attributes['db.system'] === 'postgresql'
const isRedis = ({ attributes }: ReceivedSpan): boolean =>
  attributes['db.system.name'] === 'redis' || attributes['db.system'] === 'redis'

test('a request that makes a job is one trace: HTTP, SQL, Redis, and the job in the worker with its SQL', async () => {
  await agent.com.atproto.server.requestEmailConfirmation()
  const trace = await traceOf(
    'com.atproto.server.requestEmailConfirmation',
    ({ name }) => name === 'job mail',
  )
  const job = trace.find(({ name }) => name === 'job mail')!
  expect(job.service).toBe('rookery-worker')
  expect(trace.some((span) => isSql(span) && span.service === 'rookery-api')).toBe(true)
  expect(trace.some((span) => isSql(span) && span.parentSpanId === job.spanId)).toBe(true)
  expect(trace.some((span) => isRedis(span) && span.service === 'rookery-api')).toBe(true)
}, 60_000)

test('what is asked of the store for blobs, and of other servers, is in the trace', async () => {
  await agent.uploadBlob(Buffer.from('a blob'), { encoding: 'text/plain' })
  const methodOf = ({ attributes }: ReceivedSpan): unknown =>
    attributes['http.request.method'] ?? attributes['http.method']
  const isPut = (span: ReceivedSpan): boolean => methodOf(span) === 'PUT'
  const upload = await traceOf('com.atproto.repo.uploadBlob', isPut)
  expect(upload.filter(isPut).map(({ service }) => service)).toEqual(['rookery-api'])
  const isOutgoingPost = (span: ReceivedSpan): boolean =>
    methodOf(span) === 'POST' && span.parentSpanId !== undefined
  const signUp = await traceOf('com.atproto.server.createAccount', isOutgoingPost)
  expect(signUp.some(isOutgoingPost)).toBe(true)
}, 60_000)

test('statements are sent without values, and what the cluster does by itself makes no traces', async () => {
  const texts = receiver.spans.map(({ attributes }) => JSON.stringify(attributes)).join('\n')
  expect(texts).not.toContain('traced@example.org')
  const roots = receiver.spans.filter(({ parentSpanId }) => parentSpanId === undefined)
  expect(new Set(roots.map(({ service }) => service))).toEqual(new Set(['rookery-api']))
})

test('every role sends its metrics and its log too, and what is logged of a request is in its trace', async () => {
  const roles = ['rookery-api', 'rookery-firehose', 'rookery-sequencer', 'rookery-worker']
  const knows = (role: string): boolean =>
    receiver.metrics.get(role)?.has('rookery_process_cpu_seconds_total') === true &&
    receiver.logs.some(({ service, text }) => service === role && text === 'started')
  await until(() => roles.every(knows) || undefined, { what: 'metrics and log lines of every role' })
  const names = [...receiver.metrics.get('rookery-api')!]
  expect(names).toContain('rookery_http_request_seconds')
  expect(names.filter((name) => !name.startsWith('rookery_'))).toEqual([])
  const signUp = receiver.spans.find(({ name }) => name === '/xrpc/com.atproto.server.createAccount')
  const told = await until(() => receiver.logs.find(({ text }) => text === 'an account was created'), {
    what: 'the line of the sign-up',
  })
  expect(told).toMatchObject({ service: 'rookery-api', traceId: signUp?.traceId })
}, 60_000)
