import { Database } from '@rookery/db'
import { createLogger } from '@rookery/telemetry'
import fastify from 'fastify'
import { expect, test } from 'vitest'

import { registerHealth } from '../src/health.ts'
import { version } from '../src/version.ts'
import { TestApi } from './test-api.ts'

// SPEC XR-12
test('the state of a process is its version, or 503 while the database is away', async () => {
  await using api = await TestApi.start()
  expect(await api.request({ url: '/xrpc/_health' })).toMatchObject({ status: 200, body: { version } })
  await using db = new Database(createLogger('api', 'silent'), {
    url: 'postgres://rookery@127.0.0.1:1/rookery',
    poolMax: 1,
    applicationName: 'health',
  })
  await using app = fastify()
  registerHealth(app, { db })
  const answer = await app.inject('/xrpc/_health')
  expect(answer.statusCode).toBe(503)
  expect(answer.json()).toEqual({ version, error: 'Service Unavailable' })
})
