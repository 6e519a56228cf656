import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { metrics } from '@rookery/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { createAskServer } from './ask-server.ts'

let server: Server
let connections: number
let answer: (request: IncomingMessage, response: ServerResponse) => void
let url: string

beforeEach(async () => {
  connections = 0
  server = createServer((request, response) => answer(request, response))
    .on('connection', () => connections++)
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

test('keeps its connections, and says what the server says', async () => {
  answer = (request, response) => {
    const chunks: Buffer[] = []
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const { method, url: path, headers } = request
        response.writeHead(418).flushHeaders()
        response.end(`${method} ${path} ${headers['content-type']} ${Buffer.concat(chunks).toString()}`)
      })
  }
  const ask = createAskServer()
  for (const body of ['{"ä":1}', '{}', '[]', '1', '2', '3']) {
    const headers = { 'content-type': 'application/json' }
    const { status, text } = await ask(`${url}/a%20b?c=d`, { method: 'POST', headers, body })
    expect(status).toBe(418)
    expect(await text()).toBe(`POST /a%20b?c=d application/json ${body}`)
  }
  expect(await (await ask(url)).text()).toBe('GET / undefined ')
  // A second one may open before the first is put aside.
  expect(connections).toBeLessThanOrEqual(2)
})

test('does not wait longer than it is to, for the head or for the rest', async () => {
  answer = () => {}
  await expect(createAskServer({ timeoutMs: 50 })(url)).rejects.toThrow('timeout')
  answer = (_, response) => void response.writeHead(200).write('so far')
  // The head comes within this on any machine.
  const { text } = await createAskServer({ timeoutMs: 1_500 })(url)
  await expect(text()).rejects.toThrow('timeout')
})

test.each(['with its length', 'in chunks'])('takes no more bytes than it is to, %s', async (how) => {
  answer = (_, response) => {
    if (how === 'in chunks') response.flushHeaders()
    response.end('x'.repeat(101))
  }
  await expect(createAskServer({ responseBytesMax: 100 })(url).then(({ text }) => text())).rejects.toThrow(
    'exceeded max size',
  )
  const { text } = await createAskServer({ responseBytesMax: 101 })(url)
  expect(await text()).toHaveLength(101)
})

test('is sent nowhere else', async () => {
  answer = (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
  await expect(createAskServer()(url)).rejects.toThrow('redirect 302')
})

test('is measured by what is asked and how it ended', async () => {
  answer = (_, response) => void response.writeHead(404).end()
  const ask = createAskServer({ to: 'old-server' })
  await (await ask(url)).text()
  await expect(ask('http://127.0.0.1:1')).rejects.toThrow('ECONNREFUSED')
  const counted = (await metrics.page())
    .split('\n')
    .filter((line) => line.startsWith('rookery_outbound_seconds_count{to="old-server"'))
  expect(counted).toEqual([
    'rookery_outbound_seconds_count{to="old-server",outcome="4xx"} 1',
    'rookery_outbound_seconds_count{to="old-server",outcome="failed"} 1',
  ])
})
