import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'

import { afterEach, describe, expect, test } from 'vitest'

import type { Backend } from './backend.ts'
import { LoadBalancer } from './load-balancer.ts'
import { freePort } from './ports.ts'
import { SetUpError } from './set-up-error.ts'

const stack: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const dispose of stack.splice(0).toReversed()) await dispose()
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handler: Handler): Promise<{ server: Server; port: number }> {
  const server = createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

function backend(role: string, port: number, isReady = true): Backend {
  return { role, port, internalPort: 0, isReady }
}

async function balance(...backends: Backend[]): Promise<string> {
  return balanceOver(backends)
}

async function balanceOver(backends: Backend[]): Promise<string> {
  const port = await freePort()
  const balancer = await LoadBalancer.listen([port], backends)
  stack.push(() => balancer[Symbol.asyncDispose]())
  return `http://127.0.0.1:${port}`
}

const named =
  (name: string): Handler =>
  (request, response) =>
    response.end(`${name} ${request.url}`)

describe('LoadBalancer', () => {
  test('takes turns among ready api processes, and sends subscribeRepos to the firehose', async () => {
    const [one, two, hose] = [
      await serve(named('one')),
      await serve(named('two')),
      await serve(named('hose')),
    ]
    const url = await balance(
      backend('api', one.port),
      backend('api', two.port),
      backend('firehose', hose.port),
    )
    const answers = new Set<string>()
    for (let i = 0; i < 4; i++) {
      const answer = await fetch(`${url}/a?b=c`)
      answers.add(`${answer.headers.get('x-served-by')}: ${await answer.text()}`)
    }
    expect(answers).toEqual(new Set([`${one.port}: one /a?b=c`, `${two.port}: two /a?b=c`]))
    const path = '/xrpc/com.atproto.sync.subscribeRepos?cursor=1'
    expect(await (await fetch(url + path)).text()).toBe(`hose ${path}`)
  })

  test('passes over one that is not ready, unless there is no other', async () => {
    const [one, two] = [await serve(named('one')), await serve(named('two'))]
    const backends = [backend('api', one.port, false), backend('api', two.port)]
    const url = await balanceOver(backends)
    for (let i = 0; i < 3; i++) expect(await (await fetch(url)).text()).toBe('two /')
    for (const each of backends) each.isReady = false
    const answers = [await (await fetch(url)).text(), await (await fetch(url)).text()]
    expect(answers.sort()).toEqual(['one /', 'two /'])
    backends.length = 0
    const refused = await fetch(url)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
  })

  test('tries the next when a connection is refused, body and all', async () => {
    const echo = await serve((request, response) => void request.pipe(response))
    const url = await balance(backend('api', await freePort()), backend('api', echo.port))
    for (let i = 0; i < 4; i++) {
      const answer = await fetch(url, { method: 'POST', body: 'the whole body' })
      expect(await answer.text()).toBe('the whole body')
    }
  })

  test('keeps Host, and lets nobody claim another address', async () => {
    const seen = await serve((request, response) => response.end(JSON.stringify(request.headers)))
    const url = await balance(backend('api', seen.port))
    const asked = request(url, {
      headers: {
        host: 'pds.example.test',
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-host': 'evil.test',
        'x-kept': 'yes',
      },
    }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const headers = JSON.parse(await text(answer)) as Record<string, string>
    expect(headers).toMatchObject({
      host: 'pds.example.test',
      'x-forwarded-for': '127.0.0.1',
      'x-kept': 'yes',
    })
    expect(headers).not.toHaveProperty('x-forwarded-host')
  })

  test('streams an answer while it is being made, and ends it when the process dies', async () => {
    const pending: ServerResponse[] = []
    const slow = await serve((_request, response) => {
      response.write('first')
      pending.push(response)
    })
    const url = await balance(backend('api', slow.port))
    const body = (await fetch(url)).body?.getReader()
    expect(new TextDecoder().decode((await body?.read())?.value)).toBe('first')
    pending[0]?.destroy()
    await expect(body?.read()).rejects.toThrow(/terminated/)
  })

  test('tunnels an upgraded connection both ways, past a refusing process', async () => {
    const hose = await serve(named('hose'))
    hose.server.on('upgrade', (_request: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n')
      socket.write(head)
      socket.pipe(socket)
    })
    const url = await balance(backend('firehose', await freePort()), backend('firehose', hose.port))
    for (let i = 0; i < 2; i++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.setEncoding('utf8')
      const path = '/xrpc/com.atproto.sync.subscribeRepos'
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nping`)
      let received = ''
      for await (const part of socket) {
        received += String(part)
        if (received.endsWith('ping')) break
      }
      expect(received).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nping$/)
    }
  })

  test('says which port is in use', async () => {
    const taken = await serve(named('other'))
    const refused = LoadBalancer.listen([taken.port], [])
    await expect(refused).rejects.toThrow(SetUpError)
    await expect(refused).rejects.toThrow(`port ${taken.port} is in use`)
  })
})

async function text(message: IncomingMessage): Promise<string> {
  let all = ''
  for await (const part of message) all += String(part)
  return all
}
