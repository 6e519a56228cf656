import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { createAskServer } from '@rookery/http'
import { createRedis } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'
import { type TestRedis, testRedis } from '@rookery/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { DidDeactivatedError, DidNotFoundError, DidUnreachableError } from '../errors.ts'
import { localCacheMs } from '../limits.ts'
import { IdentityResolver, type IdentityResolverOptions } from './identity-resolver.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const staleMs = 60_000
const maxMs = 3_600_000
let redis: TestRedis
let server: Server
let requests = 0
let answer: { status: number; body: unknown }

beforeAll(async () => {
  redis = await testRedis()
  server = createServer((_request, response) => {
    requests++
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await redis[Symbol.asyncDispose]()
})
beforeEach(async () => {
  requests = 0
  answer = { status: 200, body: { id: did, version: 1 } }
  await redis.redis.del(redis.keys.didDocument(did))
})

function resolver(
  txt: Record<string, string[][]> = {},
  connection: IdentityResolverOptions['redis'] = redis.redis,
): IdentityResolver {
  const plcUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return new IdentityResolver({
    log: createLogger('test', 'silent'),
    redis: connection,
    keys: redis.keys,
    sources: {
      fetch: () => Promise.reject(new Error('nothing answers there')),
      askPlc: createAskServer(),
      plcUrl,
      allowPrivateNetwork: true,
      resolveTxt: (name) => Promise.resolve(txt[name] ?? []),
    },
    cacheStaleMs: staleMs,
    cacheMaxMs: maxMs,
  })
}

// SPEC IDN-3, ID-12
describe('resolveDid', () => {
  test('asks once, for all processes and all callers at the same time', async () => {
    const [one, two] = [resolver(), resolver()]
    await Promise.all(Array.from({ length: 5 }, () => one.resolveDid(did)))
    expect(await two.resolveDid(did)).toEqual({ id: did, version: 1 })
    expect(requests).toBe(1)
  })

  test('a refresh asks anew, and other processes follow', async () => {
    const [one, two] = [resolver(), resolver()]
    await one.resolveDid(did)
    answer = { status: 200, body: { id: did, version: 2 } }
    expect(await one.resolveDid(did)).toMatchObject({ version: 1 })
    expect(await one.resolveDid(did, { refresh: true })).toMatchObject({ version: 2 })
    expect(await two.resolveDid(did)).toMatchObject({ version: 2 })
  })

  test('a stale document is answered and looked up in the background; an old one is not used', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const one = resolver()
      await one.resolveDid(did)
      answer = { status: 200, body: { id: did, version: 2 } }
      vi.setSystemTime(Date.now() + staleMs + localCacheMs)
      expect(await one.resolveDid(did)).toMatchObject({ version: 1 })
      await expect.poll(async () => (await one.resolveDid(did))['version']).toBe(2)
      answer = { status: 500, body: {} }
      vi.setSystemTime(Date.now() + maxMs)
      await expect(one.resolveDid(did)).rejects.toThrow(DidUnreachableError)
    } finally {
      vi.useRealTimers()
    }
  })

  test('without Redis a process answers from its own memory', async () => {
    const away = createRedis(createLogger('test', 'silent'), 'redis://127.0.0.1:1')
    try {
      const one = resolver({}, away)
      expect(await one.resolveDid(did)).toEqual({ id: did, version: 1 })
      expect(await one.resolveDid(did)).toEqual({ id: did, version: 1 })
      expect(requests).toBe(1)
      answer = { status: 200, body: { id: did, version: 2 } }
      expect(await one.resolveDid(did, { refresh: true })).toEqual({ id: did, version: 2 })
    } finally {
      away.disconnect()
    }
  })

  test.each([
    [404, {}, DidNotFoundError],
    [410, {}, DidDeactivatedError],
    [503, {}, DidUnreachableError],
    [200, { id: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb' }, DidUnreachableError],
  ])('an answer %i %j is an error, and not kept', async (status, body, error) => {
    answer = { status, body }
    await expect(resolver().resolveDid(did)).rejects.toThrow(error)
    answer = { status: 200, body: { id: did } }
    expect(await resolver().resolveDid(did)).toEqual({ id: did })
  })

  test.each(['did:key:zQ3sh', 'did:plc:short', 'did:web:example.com:path', 'did:web:a/b', 'text'])(
    'knows no %s',
    async (unknown) => {
      await expect(resolver().resolveDid(unknown)).rejects.toThrow(DidNotFoundError)
    },
  )
})

// SPEC IDN-1
describe('resolveHandle', () => {
  const other = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'

  test('reads the DNS record and ignores other texts', async () => {
    const txt = { '_atproto.alice.example.com': [['v=spf1'], ['did=', did]] }
    expect(await resolver(txt).resolveHandle('alice.example.com')).toBe(did)
  })

  test.each([
    ['several DIDs', [[`did=${did}`], [`did=${other}`]]],
    ['no DID', [['did=nonsense']]],
    ['nothing', []],
  ])('names nobody by %s', async (_name, records) => {
    const handle = 'bob.example.com'
    expect(await resolver({ [`_atproto.${handle}`]: records }).resolveHandle(handle)).toBeUndefined()
  })

  test('the same DID twice is one', async () => {
    const txt = { '_atproto.carol.example.com': [[`did=${did}`], [`did=${did}`]] }
    expect(await resolver(txt).resolveHandle('carol.example.com')).toBe(did)
  })

  test('a handle that named nobody is asked for again', async () => {
    const txt: Record<string, string[][]> = {}
    const one = resolver(txt)
    expect(await one.resolveHandle('dan.example.com')).toBeUndefined()
    txt['_atproto.dan.example.com'] = [[`did=${did}`]]
    expect(await one.resolveHandle('dan.example.com')).toBe(did)
  })
})
