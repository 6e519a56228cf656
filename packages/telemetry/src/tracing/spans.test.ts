import { expect, test } from 'vitest'

import { nothingSent } from '../otlp/nothing-sent.ts'
import { startTelemetry } from '../start-telemetry.ts'
import { currentTraceparent, inSpanOf, traceFields } from './spans.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

test('without tracing work runs as it is, and log lines say nothing of it', async () => {
  const seen = await inSpanOf(traceparent, 'job mail', async () => [currentTraceparent(), traceFields()])
  expect(seen).toEqual([undefined, {}])
})

test('work goes on in the trace that it came with, and so do its log lines and what it asks for', async () => {
  await startTelemetry({
    role: 'test',
    logLevel: 'silent',
    otlp: { ...nothingSent, tracesEndpoint: 'http://127.0.0.1:1' },
  })
  const [next, fields] = await inSpanOf(traceparent, 'job mail', async () => [
    currentTraceparent(),
    traceFields(),
  ])
  expect(fields).toEqual({ traceId, spanId: expect.stringMatching(/^[0-9a-f]{16}$/) })
  expect(next).toBe(`00-${traceId}-${fields?.spanId}-01`)
  await expect(inSpanOf(traceparent, 'job mail', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await inSpanOf(undefined, 'job mail', async () => currentTraceparent())).toBeUndefined()
})
