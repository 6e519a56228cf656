import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'

import { Subscribers } from './subscribers.ts'

const messagesPerConnection = 50

/** A firehose that sends a fixed number of messages to whoever connects, answering only after a while. */
async function firehose(answerMs: number) {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient: (_, accept) => void setTimeout(() => accept(true), answerMs),
  })
  server.on('connection', (socket) => {
    for (let n = 0; n < messagesPerConnection; n++) socket.send(Buffer.alloc(40))
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, servers: [{ port, host: `127.0.0.1:${port}` }] }
}

test('a subscriber that is reconnecting at the end of a case does not count in the next one', async () => {
  const { server, servers } = await firehose(60)
  await using subscribers = await Subscribers.start()
  const count = 10
  await subscribers.subscribe({ servers, count, cursor: 0, repeatAfter: messagesPerConnection })
  await expect.poll(async () => (await subscribers.report()).messages).toEqual(Array(count).fill(50))
  // All have read everything and wait for the answer to their next connection.
  await subscribers.close()

  await subscribers.subscribe({ servers, count })
  await expect.poll(() => server.clients.size).toBe(count)
  await expect.poll(async () => (await subscribers.report()).messages).toEqual(Array(count).fill(50))
  expect((await subscribers.report()).ended).toBe(0)
  for (const client of server.clients) client.terminate()
  server.close()
})
