import type { OAuthSession } from '@atproto/oauth-client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { xrpcMethods } from '../src/app.ts'
import { type Victim, attempts } from './isolation-cases.ts'
import { localApp, signInToApp } from './oauth-flow.ts'
import { RawApp } from './raw-app.ts'
import { type ScopeCase, appView, scopeCases } from './scope-cases.ts'
import { TestApi } from './test-api.ts'

let api: TestApi
let session: OAuthSession
let subject: Victim

beforeAll(async () => {
  api = await TestApi.start()
  const url = 'http://127.0.0.1:9'
  await api.set('one', { appView: { did: appView, url }, report: { did: 'did:web:mod.test', url } })
  const alice = await api.signUp('alice')
  session = await signInToApp(api, localApp(api, 'atproto'), { ...alice, password: 'alice-pass' })
  const { did, handle, accessJwt, refreshJwt } = alice
  const cid = 'bafyreie5cvv4h45feadgeuwhbcutmh6t2ceseocckahdoe6uat64zmz454'
  const known = {
    did,
    handle,
    accessJwt,
    refreshJwt,
    email: 'alice@mail.test',
    password: 'alice-pass',
    rkey: 'one',
  }
  subject = { ...known, recordCid: cid, commitCid: cid, blobCid: cid, accountId: 0 }
})
afterAll(() => api[Symbol.asyncDispose]())

/** Calls the row's method as an app that was allowed just this. What a session may is read with every request. */
async function call(row: string, scope: string): Promise<string> {
  const [route = ''] = row.split('#')
  await api.db.pool.query('update oauth_token set scope = $1', [scope])
  const attempt = { ...attempts[route]!(subject), ...scopeCases[row]!.call }
  const nsid = attempt.nsid ?? route
  const input = typeof attempt.input === 'function' ? attempt.input(subject.did) : attempt.input
  const isQuery = api.pods[0]!.deps.lexicons.methodOf(nsid)?.type === 'query' || route === ':nsid'
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(attempt.params ?? {})) {
    for (const one of [value].flat()) query.append(name, one)
  }
  const { bytes } = attempt
  const body = bytes === undefined ? { 'content-type': 'application/json' } : { 'content-type': bytes.type }
  const init = isQuery
    ? {}
    : { method: 'POST', headers: body, body: bytes?.body ?? JSON.stringify(input ?? {}) }
  const answer = await session.fetchHandler(`/xrpc/${nsid}?${query.toString()}`, init)
  const isRefused = answer.status === 401 || answer.status === 403
  const { error, message } = (await answer.json().catch(() => ({}))) as { error: string; message?: string }
  return isRefused || message?.startsWith('Unsupported authorization type') === true ? error : 'ok'
}

/** What of the row does not end as it says, by scope. */
async function surprises(row: string, { alone, generic, email, chat, opens, nearly }: ScopeCase) {
  const expected = [
    ['', alone],
    ['transition:generic', generic],
    ['transition:email', email],
    ['transition:generic transition:chat.bsky', chat],
    ...opens.map((scope) => [scope, 'ok']),
    ...nearly.map((scope) => [scope, alone]),
  ]
  const found: string[] = []
  for (const [scope = '', ending = ''] of expected) {
    const given = await call(row, `atproto ${scope}`.trim())
    if (given !== ending) found.push(`${scope || 'atproto'}: ${given} instead of ${ending}`)
  }
  return found
}

// SPEC SC-2, SC-3, SC-4, SC-5, SC-6, SC-7, SC-8, OA-30
describe.each(Object.keys(scopeCases))('%s', (row) => {
  test('is open to the scopes of its row, and to no other', async () => {
    expect(await surprises(row, scopeCases[row]!)).toEqual([])
  })
})

test('every method has a row', () => {
  const methods = xrpcMethods(api.pods[0]!.deps).map(({ nsid }) => nsid)
  expect(
    Object.keys(scopeCases)
      .filter((row) => !row.includes('#'))
      .sort(),
  ).toEqual([...methods, ':nsid'].sort())
})

// SPEC SC-7, SC-10
test.each([
  ['atproto', undefined],
  ['atproto transition:generic', undefined],
  ['atproto account:repo', undefined],
  ['atproto transition:email', 'alice@mail.test'],
  ['atproto account:email', 'alice@mail.test'],
  ['atproto account:email?action=manage', 'alice@mail.test'],
])('who has %s is told %s as e-mail address', async (scope, email) => {
  await api.db.pool.query('update oauth_token set scope = $1', [scope])
  const answer = (await (await session.fetchHandler('/xrpc/com.atproto.server.getSession')).json()) as object
  expect(answer).toMatchObject({ did: subject.did })
  expect('email' in answer ? answer.email : undefined).toBe(email)
  expect('emailConfirmed' in answer).toBe(email !== undefined)
})

// SPEC SC-1
test('scopes that are not well-formed are left out', async () => {
  const good = [
    'repo:com.example.a',
    'repo:*?action=create&action=delete',
    'repo?collection=com.example.a&collection=com.example.b',
    'rpc:com.example.a?aud=did:web:a.example%23svc',
    'blob:image/*',
    'account:email?action=manage',
    'identity:handle',
  ]
  const bad = [
    'repo',
    'repo:com.example.*',
    'repo:com.example.a?unknown=1',
    'repo:com.example.a?collection=com.example.b',
    'Repo:com.example.a',
    'rpc:com.example.a',
    'rpc:com.example.a?aud=did:web:a.example',
    'rpc:com.example.a?aud=*&aud=*',
    'rpc:*?aud=*',
    'blob:image',
    'blob:*/png',
    'account:*',
    'account:email?action=delete',
    'identity:email',
    'include:example',
    'transition:everything',
    'weather',
  ]
  const app = await RawApp.local(api, ['atproto', ...good, ...bad].join(' '))
  const { scope } = await app.signIn({ did: subject.did, handle: subject.handle, password: 'alice-pass' })
  expect(scope.split(' ')).toEqual(['atproto', ...good])
})
