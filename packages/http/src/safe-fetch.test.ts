import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { metrics } from '@rookery/telemetry'
import { expect, test } from 'vitest'

import { createSafeFetch } from './safe-fetch.ts'

async function counted(): Promise<string[]> {
  const name = 'rookery_outbound_seconds_count'
  return (await metrics.page()).split('\n').filter((line) => line.startsWith(name))
}

test('what is asked of other servers is measured by what they are and how it ended, never by where', async () => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/good' ? 200 : 404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fetch = createSafeFetch({ to: 'plc', allowPrivateNetwork: true })
  await (await fetch(`${url}/good`)).body?.cancel()
  await (await fetch(`${url}/bad`)).body?.cancel()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  await expect(fetch(`${url}/gone`)).rejects.toThrow('fetch')
  await expect(
    createSafeFetch({ to: 'identity', allowPrivateNetwork: false })(`${url}/good`),
  ).rejects.toThrow('hostname')
  await createSafeFetch({ allowPrivateNetwork: true })(url).catch(() => undefined)
  expect(await counted()).toEqual([
    'rookery_outbound_seconds_count{to="plc",outcome="2xx"} 1',
    'rookery_outbound_seconds_count{to="plc",outcome="4xx"} 1',
    'rookery_outbound_seconds_count{to="plc",outcome="failed"} 1',
    'rookery_outbound_seconds_count{to="identity",outcome="failed"} 1',
  ])
})
