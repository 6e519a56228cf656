import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { RawApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const metadata = ['/.well-known/oauth-protected-resource', '/.well-known/oauth-authorization-server']
const forms = ['/oauth/par', '/oauth/token', '/oauth/revoke']
const page = { origin: 'https://app.example.com' }

// SPEC OA-1, OA-2, OA-4
describe.each(['one.test', 'two.test'])('metadata of %s', (host) => {
  const origin = `https://${host}`

  test('names one authorization server, itself', async () => {
    const answer = await api.request({ url: metadata[0]! }, { host })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.body).toMatchObject({ resource: origin, authorization_servers: [origin] })
  })

  test('says what the authorization server does', async () => {
    const { status, body, headers } = await api.request({ url: metadata[1]! }, { host })
    expect(status).toBe(200)
    expect(headers['content-type']).toMatch(/^application\/json/)
    expect(body).toMatchObject({
      issuer: origin,
      authorization_endpoint: `${origin}/oauth/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      revocation_endpoint: `${origin}/oauth/revoke`,
      pushed_authorization_request_endpoint: `${origin}/oauth/par`,
      jwks_uri: `${origin}/oauth/jwks`,
      response_types_supported: expect.arrayContaining(['code']),
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      authorization_response_iss_parameter_supported: true,
      require_pushed_authorization_requests: true,
      require_request_uri_registration: true,
      client_id_metadata_document_supported: true,
    })
    for (const name of ['token_endpoint_auth_signing_alg', 'dpop_signing_alg']) {
      expect(body[`${name}_values_supported`]).toContain('ES256')
      expect(body[`${name}_values_supported`]).not.toContain('none')
    }
    const scopes = ['atproto', 'transition:email', 'transition:generic', 'transition:chat.bsky']
    expect(body.scopes_supported).toEqual(scopes)
  })

  test('shows no secret among its keys, and nobody looks into tokens', async () => {
    const { status, body } = await api.request({ url: '/oauth/jwks' }, { host })
    expect([status, body]).toEqual([200, { keys: [] }])
    const server = await api.request({ url: metadata[1]! }, { host })
    expect(server.body.introspection_endpoint).toBeUndefined()
    const answer = await api.request({ method: 'POST', url: '/oauth/introspect' }, { host })
    expect(answer.status).toBe(404)
  })
})

// SPEC OA-3
describe('pages of other origins', () => {
  test.each([...metadata, ...forms, '/oauth/jwks'])('may ask %s', async (url) => {
    const preflight = await api.request(
      { method: 'OPTIONS', url },
      {
        headers: {
          ...page,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,dpop',
        },
      },
    )
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe('*')
    expect(preflight.headers['access-control-allow-headers']).toMatch(/content-type, ?dpop/i)
    expect(preflight.headers['access-control-allow-methods']).toMatch(/POST/)
    const method = forms.includes(url) ? 'POST' : 'GET'
    const answer = await api.request({ method, url }, { headers: page })
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
  })

  // SPEC OA-20
  test('are shown the nonce with every answer, good or bad', async () => {
    const app = await RawApp.local(api)
    const answers = [
      await app.push(),
      await app.push({ scope: 'transition:generic' }),
      await app.push({}, { proof: null }),
      await app.send('/oauth/token', { grant_type: 'refresh_token', refresh_token: 'x' }),
      await app.send('/oauth/revoke', { token: 'x' }),
      await api.request({ method: 'POST', url: '/oauth/token', payload: 'nonsense' }),
    ]
    for (const { headers } of answers) {
      expect(headers['dpop-nonce']).toMatch(/^.{43}$/)
      expect(String(headers['access-control-expose-headers'])).toMatch(/dpop-nonce/i)
      expect(headers['cache-control']).toBe('no-store')
    }
  })
})

describe('another verb', () => {
  // SPEC OA-5
  test.each([
    ...forms.flatMap((url) => ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'].map((verb) => [verb, url, 'POST'])),
    ...['/oauth/authorize', '/oauth/jwks', '/account'].map((url) => ['POST', url, 'HEAD, GET']),
    ['DELETE', '/@atproto/oauth-provider/~api/sign-in', 'HEAD, GET, POST'],
  ])('%s %s is not allowed', async (method, url, allow) => {
    const answer = await api.request({ method, url })
    expect([answer.status, answer.headers['allow']]).toEqual([405, allow])
  })

  test('HEAD is answered as GET, without the body', async () => {
    for (const url of [...metadata, '/oauth/jwks']) {
      const answer = await api.request({ method: 'HEAD', url })
      expect([answer.status, answer.body]).toEqual([200, ''])
    }
  })
})

test('a body that is too large or of another type is refused', async () => {
  const send = (payload: string, type: string) =>
    api.request({ method: 'POST', url: '/oauth/par', payload }, { headers: { 'content-type': type } })
  expect((await send(`a=${'x'.repeat(110_000)}`, 'application/x-www-form-urlencoded')).status).toBe(413)
  expect((await send('{"a":', 'application/json')).status).toBe(400)
  expect((await send('a=1', 'text/plain')).status).toBe(415)
  expect((await send('a=1', 'application/x-www-form-urlencoded; charset=latin1')).status).toBe(415)
})
