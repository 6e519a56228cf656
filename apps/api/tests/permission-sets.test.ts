import {
  type LexiconAuthority,
  type TestNameserver,
  startLexiconAuthority,
  startTestNameserver,
} from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestBrowser } from './oauth-flow.ts'
import { RawApp } from './raw-app.ts'
import { TestApi } from './test-api.ts'

type Person = { did: string; handle: string; password: string }

const aud = 'did:web:api.example.org%23things'

let nameserver: TestNameserver
let authority: LexiconAuthority
let api: TestApi
let alice: Person

beforeAll(async () => {
  nameserver = await startTestNameserver()
  authority = await startLexiconAuthority()
  nameserver.records.set('_lexicon.example.org', [`did=${authority.did}`])
  api = await TestApi.start({ ROOKERY_IDENTITY_NAMESERVERS: nameserver.address })
  alice = { ...(await api.signUp('alice')), password: 'alice-pass' }
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await authority[Symbol.asyncDispose]()
  await nameserver[Symbol.asyncDispose]()
})

let sets = 0

/** Publishes a set with these permissions and returns what an app gets that was allowed to include it. */
async function granted(permissions: object[], { query = '' } = {}): Promise<string[]> {
  const nsid = await publish(permissions)
  const { scope } = await (await RawApp.local(api, `atproto include:${nsid}${query}`)).signIn(alice)
  return scope.split(' ').filter((one) => one !== 'atproto')
}

async function publish(permissions: object[]): Promise<string> {
  const nsid = `org.example.auth${'abcdefghijklmnopqrstuvwxyz'[sets++]}`
  const main = { type: 'permission-set', title: 'Things', detail: 'All about things', permissions }
  await authority.publish(nsid, { lexicon: 1, id: nsid, defs: { main } })
  return nsid
}

const repo = (...collection: string[]): object => ({ type: 'permission', resource: 'repo', collection })
const rpc = (more: object, ...lxm: string[]): object => ({
  type: 'permission',
  resource: 'rpc',
  lxm,
  ...more,
})
const good = repo('org.example.note')
const note = 'repo:org.example.note'

// SPEC PS-1, PS-2, SC-9
describe('a set of permissions', () => {
  test('stands for what it lists', async () => {
    const permissions = [good, rpc({ aud: '*' }, 'org.example.getThing')]
    expect(await granted(permissions)).toEqual([note, 'rpc:org.example.getThing?aud=*'])
    const some = { ...good, action: ['create'] }
    expect(await granted([some])).toEqual([`${note}?action=create`])
  })

  test('takes the service from whoever includes it, where it says so', async () => {
    const permissions = [good, rpc({ inheritAud: true }, 'org.example.getThing')]
    expect(await granted(permissions, { query: `?aud=${aud}` })).toEqual([
      note,
      `rpc:org.example.getThing?aud=${aud}`,
    ])
    expect(await granted(permissions)).toEqual([note])
  })

  // SPEC PS-4
  test.each([
    ['another’s collection', repo('app.bsky.feed.post')],
    ['one of another’s among its own', repo('org.example.note', 'app.bsky.feed.post')],
    ['a name that only begins like its own', repo('org.exampleother.note')],
    ['its parent’s', repo('org.note.thing')],
    ['all collections', repo('*')],
    ['another’s method', rpc({ aud: '*' }, 'app.bsky.feed.getTimeline')],
    ['all methods', rpc({ aud: '*' }, '*')],
  ])('does not speak for %s', async (_what, permission) => {
    expect(await granted([permission, good])).toEqual([note])
  })

  // SPEC PS-2, PS-3
  test.each([
    ['blobs', { type: 'permission', resource: 'blob', accept: ['*/*'] }],
    ['the account', { type: 'permission', resource: 'account', attr: 'repo', action: ['manage'] }],
    ['the identity', { type: 'permission', resource: 'identity', attr: '*' }],
    ['a service of its choice', rpc({ aud: 'did:web:evil.example#things' }, 'org.example.getThing')],
    ['a service in two ways', rpc({ aud: '*', inheritAud: true }, 'org.example.getThing')],
    ['what nobody knows', { type: 'permission', resource: 'weather' }],
    ['an action that nobody knows', { ...repo('org.example.other'), action: ['read'] }],
    ['a field that nobody knows', { ...repo('org.example.other'), colour: 'red' }],
  ])('may not hold %s', async (_what, permission) => {
    expect(await granted([permission, good], { query: `?aud=${aud}` })).toEqual([note])
  })

  // SPEC PS-6
  test('that grows does not give more to who has a session', async () => {
    const nsid = await publish([good])
    const app = await RawApp.local(api, `atproto include:${nsid}`)
    const tokens = await app.signIn(alice)
    const main = { type: 'permission-set', title: 'x', permissions: [good, repo('org.example.more')] }
    await authority.publish(nsid, { lexicon: 1, id: nsid, defs: { main } })
    const { rows } = await api.db.pool.query<{ scope: string }>(
      'select scope from oauth_token order by created_at desc limit 1',
    )
    expect(rows[0]!.scope).toBe(tokens.scope)
    expect(tokens.scope).not.toContain('more')
  })

  // SPEC PS-7
  test('is shown by its title and all that it holds', async () => {
    const nsid = await publish([good])
    const app = await RawApp.local(api, `atproto include:${nsid}`)
    const { body } = await app.push()
    const page = await new TestBrowser(api).open(app.authorizeUrl(body.request_uri))
    for (const text of ['Things', 'All about things', 'org.example.note']) expect(page.body).toContain(text)
  })

  // SPEC PS-5
  test.each(['org.example.none', 'net.nowhere.none'])(
    '%s that cannot be found lets nobody in',
    async (nsid) => {
      const { status, body } = await (await RawApp.local(api, `atproto include:${nsid}`)).push()
      expect([status, body.error]).toEqual([400, 'invalid_scope'])
    },
  )

  test('that is no set lets nobody in', async () => {
    const nsid = 'org.example.record'
    const main = { type: 'record', key: 'any', record: { type: 'object', properties: {} } }
    await authority.publish(nsid, { lexicon: 1, id: nsid, defs: { main } })
    const { status, body } = await (await RawApp.local(api, `atproto include:${nsid}`)).push()
    expect([status, body.error]).toEqual([400, 'invalid_scope'])
  })

  test('is left out if the account does not allow it', async () => {
    const nsid = await publish([good])
    const app = await RawApp.local(api, `atproto include:${nsid}`)
    const { scope } = await app.signIn(alice, { scope: 'atproto repo:* include:org.example.other' })
    expect(scope).toBe('atproto')
  })
})
