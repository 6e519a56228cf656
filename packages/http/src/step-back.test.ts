import { once } from 'node:events'
import { Agent, type IncomingMessage, get } from 'node:http'
import type { AddressInfo } from 'node:net'

import { fastify } from 'fastify'
import { expect, test } from 'vitest'

import { startInternalServer } from './internal-server.ts'
import { stepBack } from './step-back.ts'

test('a process that steps back is not ready, and serves on, each request as the last of its connection', async () => {
  const app = fastify({ forceCloseConnections: 'idle' })
  app.get('/', () => 'served')
  await app.listen({ port: 0, host: '127.0.0.1' })
  await using internal = await startInternalServer({
    port: 0,
    address: '127.0.0.1',
    notReady: () => undefined,
  })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = async (): Promise<{ status: number | undefined; connection: string | undefined }> => {
    const [answer] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [IncomingMessage]
    await once(answer.resume(), 'end')
    return { status: answer.statusCode, connection: answer.headers.connection }
  }
  expect(await ask()).toEqual({ status: 200, connection: 'keep-alive' })

  const delayMs = 200
  const steppedBack = stepBack(app, internal, { delayMs })
  expect((await fetch(`http://127.0.0.1:${internal.port}/readyz`)).status).toBe(503)
  expect(await ask()).toEqual({ status: 200, connection: 'close' })
  expect(await ask()).toEqual({ status: 200, connection: 'close' })
  await steppedBack
  agent.destroy()
  await app.close()
})
