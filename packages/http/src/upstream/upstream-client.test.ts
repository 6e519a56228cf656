import { once } from 'node:events'
import { type RequestListener, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'

import { afterEach, describe, expect, test } from 'vitest'

import { upstreamRequestsPerOriginMax } from '../limits.ts'
import { decodeAnswer, readAnswer } from './answer-bytes.ts'
import type { UpstreamAnswer } from './upstream-answer.ts'
import { UpstreamClient, type UpstreamOptions } from './upstream-client.ts'

const unreachable = { status: 502, error: 'UpstreamFailure', message: 'Upstream service unreachable' }
const options: UpstreamOptions = {
  allowPrivateNetwork: true,
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  answerBytesMax: 1_000,
}

let stack = new AsyncDisposableStack()
afterEach(async () => {
  await stack.disposeAsync()
  stack = new AsyncDisposableStack()
})

/** Serves on a free port and returns what asks there. */
async function serve(
  listener: RequestListener,
  change: Partial<UpstreamOptions> = {},
): Promise<{ ask: () => Promise<UpstreamAnswer>; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const client = stack.use(new UpstreamClient({ ...options, ...change }))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { ask: () => client.request({ origin, path: '/', method: 'GET', headers: {} }), server }
}

describe('a service is not asked', () => {
  test.each([
    ['without encryption', 'http://example.com'],
    ['under an address of this machine', 'https://127.0.0.1'],
    ['under another form of it', 'https://2130706433'],
    ['under an address of the network', 'https://169.254.169.254'],
    ['under an address at all', 'https://93.184.215.14'],
    ['under an IPv6 address', 'https://[::1]'],
    ['under a name of this machine', 'https://localhost'],
    ['under a name that only the network knows', 'https://metadata'],
    ['under a name that is reserved for such', 'https://db.local'],
  ])('%s', async (_, origin) => {
    const client = stack.use(new UpstreamClient({ ...options, allowPrivateNetwork: false }))
    await expect(client.request({ origin, path: '/', method: 'GET', headers: {} })).rejects.toMatchObject(
      unreachable,
    )
  })

  test('while too many requests to it run, and is again when one has ended', async () => {
    const { ask } = await serve((_request, response) => void response.writeHead(200).write('begun'))
    const answers = await Promise.all(Array.from({ length: upstreamRequestsPerOriginMax }, ask))
    await expect(ask()).rejects.toMatchObject({ status: 503, error: 'NotEnoughResources' })
    const closed = new Promise((resolve) => answers[0]!.body.once('close', resolve))
    answers[0]!.body.on('error', () => {}).destroy()
    await closed
    answers.push(await ask())
    for (const { body } of answers) body.on('error', () => {}).destroy()
  })
})

// SPEC PX-7
describe('an answer', () => {
  test('must begin in time', async () => {
    const { ask } = await serve(() => {}, { headersTimeoutMs: 100 })
    await expect(ask()).rejects.toMatchObject(unreachable)
  })

  test('must go on in time', async () => {
    const { ask } = await serve((_request, response) => void response.writeHead(200).write('begun'), {
      bodyTimeoutMs: 100,
    })
    await expect(readAnswer((await ask()).body, 100)).rejects.toMatchObject(unreachable)
  })

  test('must not become too large, whatever it announced', async () => {
    const { ask } = await serve((_request, response) => {
      response.writeHead(200).write(Buffer.alloc(800))
      response.end(Buffer.alloc(800))
    })
    await expect(readAnswer((await ask()).body, 10_000)).rejects.toMatchObject(unreachable)
  })

  test('that is an error is read no further than for its name', async () => {
    const { ask } = await serve(
      (_request, response) => {
        response.writeHead(400, { 'content-type': 'application/json' })
        response.end(`{"error":"Padded","message":"${'x'.repeat(100_000)}"}`)
      },
      { answerBytesMax: 1_000_000 },
    )
    await expect(ask()).rejects.toMatchObject({ status: 400, error: 'InvalidRequest' })
  })

  test('that is a compressed error is understood', async () => {
    const { ask } = await serve((_request, response) => {
      response
        .writeHead(401, { 'content-encoding': 'gzip' })
        .end(gzipSync('{"error":"BadJwt","message":"no"}'))
    })
    await expect(ask()).rejects.toMatchObject({ status: 401, error: 'BadJwt', message: 'no' })
  })
})

describe('decoding', () => {
  const text = Buffer.from('the same words '.repeat(50))

  test.each([
    [undefined, text],
    ['identity', text],
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
  ])('%s gives the bytes back', async (encoding, bytes) => {
    expect(await decodeAnswer(bytes, encoding, 10_000)).toEqual(text)
  })

  test.each([
    ['an unknown encoding', 'lzma', text, 10_000],
    ['broken bytes', 'gzip', text, 10_000],
    ['more than the limit', 'gzip', gzipSync(text), 100],
  ])('%s is an error of the service', async (_, encoding, bytes, bytesMax) => {
    await expect(decodeAnswer(bytes, encoding, bytesMax)).rejects.toMatchObject({ status: 502 })
  })
})
