import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { websocketFrame } from './websocket-frame.ts'

describe('websocketFrame', () => {
  const http = createServer()
  const sockets: Socket[] = []
  const server = new WebSocketServer({ server: http, perMessageDeflate: false })
  server.on('connection', (_client, request) => sockets.push(request.socket))
  let client: WebSocket

  beforeAll(async () => {
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- A TCP server has this kind of address.
    client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
    await once(client, 'open')
  })

  afterAll(() => {
    client.terminate()
    http.close()
  })

  test.each([0, 1, 125, 126, 65_535, 65_536, 1_000_000])('ws reads a payload of %i bytes', async (length) => {
    const payload = Buffer.alloc(length, 7)
    const message = once(client, 'message')
    sockets[0]?.write(websocketFrame(payload))
    expect(await message).toEqual([payload, true])
  })
})
