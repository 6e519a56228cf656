import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { queryToken } from '../src/proxy/forward.ts'
import { FakeService, json } from './fake-service.ts'
import { TestApi } from './test-api.ts'

const report = 'com.atproto.moderation.createReport'
const feed = 'at://did:plc:feedmakerfeedmakerfeedm/app.bsky.feed.generator/cats'
const generator = 'did:web:generator.example'

let api: TestApi
let appView: FakeService
let moderation: FakeService
let alice: any

beforeAll(async () => {
  api = await TestApi.start()
  appView = await FakeService.start(api, ['bsky_notif'], {
    'app.bsky.notification.registerPush': (_request, response) => void response.end(),
    'app.bsky.feed.getFeed': json({ feed: [] }),
    'com.atproto.repo.getRecord': (request, response) => {
      const query = new URL(request.url!, 'http://x').searchParams
      if (query.get('rkey') === 'missing') {
        return json({ error: 'RecordNotFound', message: 'Could not locate record' }, 400)(request, response)
      }
      const uri = `at://${query.get('repo')}/${query.get('collection')}/${query.get('rkey')}`
      const value = query.get('rkey') === 'cats' ? { did: generator } : { did: 7 }
      return json({ uri, value })(request, response)
    },
  })
  moderation = await FakeService.start(api, ['atproto_labeler'], { [report]: json({ id: 7 }) })
  await api.set('one', {
    appView: { did: appView.did, url: appView.url },
    moderation: { did: moderation.did, url: moderation.url },
  })
  alice = await api.signUp('alice')
})
afterAll(async () => {
  await appView[Symbol.asyncDispose]()
  await moderation[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
})
beforeEach(() => {
  appView.received.length = 0
  moderation.received.length = 0
})

// SPEC LAB-7
describe('a report', () => {
  const about = (did: string) => ({
    reasonType: 'com.atproto.moderation.defs#reasonAppeal',
    subject: { $type: 'com.atproto.admin.defs#repoRef', did },
    reason: 'ünfair',
  })

  test('goes to the moderation service in the account’s name', async () => {
    const input = about(alice.did)
    const answer = await api.post(report, input, { token: alice.accessJwt })
    expect(answer).toMatchObject({ status: 200, body: { id: 7 } })
    expect(JSON.parse(moderation.last.body.toString())).toEqual(input)
    expect((await moderation.verifyToken(api, report)).iss).toBe(alice.did)
  })

  test('goes to the report service if there is one, or where its header says', async () => {
    await using reports = await FakeService.start(api, ['atproto_labeler'], { [report]: json({ id: 8 }) })
    const headers = { 'atproto-proxy': `${reports.did}#atproto_labeler` }
    const asked = await api.post(report, about(alice.did), { token: alice.accessJwt, headers })
    expect(asked.body).toEqual({ id: 8 })
    await api.set('one', { report: { did: reports.did, url: reports.url } })
    expect((await api.post(report, about(alice.did), { token: alice.accessJwt })).body).toEqual({ id: 8 })
    await api.set('one', { report: null })
    expect(moderation.received).toEqual([])
  })

  test('may come from an account that is taken down, with any of its sessions', async () => {
    const barred = await api.signUp('barred')
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: barred.did }
    const takedown = { subject, takedown: { applied: true, ref: 'x' } }
    await api.post('com.atproto.admin.updateSubjectStatus', takedown, { admin: true })
    const login = { identifier: barred.handle, password: 'barred-pass', allowTakendown: true }
    const limited = (await api.post('com.atproto.server.createSession', login)).body.accessJwt
    for (const token of [limited, barred.accessJwt]) {
      expect((await api.post(report, about(barred.did), { token })).status).toBe(200)
      expect((await moderation.verifyToken(api, report)).iss).toBe(barred.did)
    }
    expect((await api.get('app.bsky.graph.getFollows', {}, { token: limited })).body.error).toBe(
      'InvalidToken',
    )
  })

  test('needs an account, a form, and a service', async () => {
    expect((await api.post(report, about(alice.did))).body.error).toBe('AuthMissing')
    const formless = await api.post(report, { reasonType: 'x' }, { token: alice.accessJwt })
    expect(formless).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    const options = { host: 'two.test' }
    const tom = await api.signUp('tom', { handle: 'tom.two.test' }, options)
    const answer = await api.post(report, about(tom.did), { ...options, token: tom.accessJwt })
    expect(answer).toMatchObject({ status: 400, body: { message: `No service configured for ${report}` } })
    expect(moderation.received).toEqual([])
  })
})

describe('push registrations', () => {
  const register = 'app.bsky.notification.registerPush'
  const unregister = 'app.bsky.notification.unregisterPush'
  const input = (serviceDid: string) => ({ serviceDid, token: 't', platform: 'web', appId: 'app' })

  test('go to the AppView if they name it', async () => {
    const answer = await api.post(register, input(appView.did), { token: alice.accessJwt })
    expect(answer.status).toBe(200)
    expect(JSON.parse(appView.last.body.toString())).toEqual(input(appView.did))
    expect((await appView.verifyToken(api, register)).iss).toBe(alice.did)
  })

  test('go to the service of notifications in the document of the DID that they name', async () => {
    await using push = await FakeService.start(
      api,
      ['bsky_notif'],
      { [register]: json({}), [unregister]: json({}) },
      'BskyNotificationService',
    )
    for (const nsid of [register, unregister]) {
      expect((await api.post(nsid, input(push.did), { token: alice.accessJwt })).status).toBe(200)
      expect(push.last.url).toBe(`/xrpc/${nsid}`)
      expect((await push.verifyToken(api, nsid)).iss).toBe(alice.did)
    }
  })

  test('are refused if the DID has no such service, or does not exist', async () => {
    const other = await api.post(register, input(moderation.did), { token: alice.accessJwt })
    expect(other).toMatchObject({
      status: 400,
      body: { message: `invalid notification service details in did document: ${moderation.did}` },
    })
    const nobody = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
    const missing = await api.post(register, input(nobody), { token: alice.accessJwt })
    expect(missing).toMatchObject({
      status: 400,
      body: { message: `could not resolve did document: ${nobody}` },
    })
  })
})

describe('a feed', () => {
  test('is asked for at the AppView with a token for its generator', async () => {
    const answer = await api.get('app.bsky.feed.getFeed', { feed, limit: '5' }, { token: alice.accessJwt })
    expect(answer).toMatchObject({ status: 200, body: { feed: [] } })
    expect(appView.received.map(({ url }) => url.split('?')[0])).toEqual([
      '/xrpc/com.atproto.repo.getRecord',
      '/xrpc/app.bsky.feed.getFeed',
    ])
    expect(appView.received[0]!.headers.authorization).toBeUndefined()
    expect(new URL(appView.last.url, 'http://x').searchParams.get('limit')).toBe('5')
    const claims = await appView.verifyToken(api, 'app.bsky.feed.getFeedSkeleton', generator)
    expect(claims).toMatchObject({ iss: alice.did, aud: generator })
  })

  test('whose record names no generator is unknown', async () => {
    const options = { token: alice.accessJwt }
    const answer = await api.get('app.bsky.feed.getFeed', { feed: feed.replace('cats', 'dogs') }, options)
    expect(answer).toMatchObject({ status: 400, body: { error: 'UnknownFeed' } })
    const missing = await api.get('app.bsky.feed.getFeed', { feed: feed.replace('cats', 'missing') }, options)
    expect(missing).toMatchObject({ status: 400, body: { error: 'RecordNotFound' } })
  })
})

describe('a record', () => {
  const params = { repo: 'did:plc:elsewhereelsewhereelsewh', collection: 'com.example.note', rkey: 'self' }

  test('of an account that is not here comes from the AppView, in nobody’s name', async () => {
    const answer = await api.get('com.atproto.repo.getRecord', params, { token: alice.accessJwt })
    expect(answer).toMatchObject({
      status: 200,
      body: { uri: `at://${params.repo}/${params.collection}/${params.rkey}` },
    })
    expect(appView.last.headers.authorization).toBeUndefined()
    expect((await api.get('com.atproto.repo.getRecord', params)).status).toBe(200)
  })

  test('of an account that is here comes from here, even if it is missing', async () => {
    const own = { ...params, repo: alice.did }
    expect((await api.get('com.atproto.repo.getRecord', own)).body.error).toBe('RecordNotFound')
    expect(appView.received).toEqual([])
  })

  test('of an account that is not here is not found where no AppView is configured', async () => {
    const answer = await api.get('com.atproto.repo.getRecord', params, { host: 'two.test' })
    expect(answer).toMatchObject({ status: 400, body: { error: 'RepoNotFound' } })
  })
})

test('tokens name the service with its id where the operator says so', async () => {
  const { deps } = api.pods[0]!
  const { rows } = await api.db.pool.query('select id from account where did = $1', [alice.did])
  const account = { id: rows[0].id, did: alice.did }
  const service = { did: appView.did, id: 'bsky_appview', origin: appView.url }
  const nsid = 'com.example.get'
  const audienceIn = async (audience: 'did' | 'did#service') => {
    const token = await queryToken({ ...deps, audience }, account, { service, nsid })
    return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).aud
  }
  expect(await audienceIn('did')).toBe(appView.did)
  expect(await audienceIn('did#service')).toBe(`${appView.did}#bsky_appview`)
})
