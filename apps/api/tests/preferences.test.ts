import { preferencesMax } from '@rookery/accounts'
import { AtpAgent } from '@atproto/api'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { FakeService, json } from './fake-service.ts'
import { type Answer, type CallOptions, TestApi } from './test-api.ts'

const defs = 'app.bsky.actor.defs'
const adult = { $type: `${defs}#adultContentPref`, enabled: false }
const label = (name: string, visibility: string) => ({
  $type: `${defs}#contentLabelPref`,
  label: name,
  visibility,
})
const personal = { $type: `${defs}#personalDetailsPref`, birthDate: '1970-01-01T00:00:00.000Z' }
const grownUp = { $type: `${defs}#declaredAgePref`, isOverAge13: true, isOverAge16: true, isOverAge18: true }

let api: TestApi
let alice: any
/** A session of an app password, privileged. */
let app: string

beforeAll(async () => {
  api = await TestApi.start()
  alice = await api.signUp('alice')
  const made = await api.post(
    'com.atproto.server.createAppPassword',
    { name: 'app', privileged: true },
    { token: alice.accessJwt },
  )
  const login = { identifier: alice.handle, password: made.body.password }
  app = (await api.post('com.atproto.server.createSession', login)).body.accessJwt
})
afterAll(() => api[Symbol.asyncDispose]())

function put(
  preferences: object[],
  token: string = alice.accessJwt,
  options: CallOptions = {},
): Promise<Answer> {
  return api.post('app.bsky.actor.putPreferences', { preferences }, { token, ...options })
}

async function get(token: string = alice.accessJwt, options: CallOptions = {}): Promise<any> {
  return (await api.get('app.bsky.actor.getPreferences', {}, { token, ...options })).body.preferences
}

beforeEach(() => put([]))

describe('preferences', () => {
  test('are none at first, and then those that were put last, in their order', async () => {
    const newcomer = await api.signUp('newcomer')
    expect(await get(newcomer.accessJwt)).toEqual([])
    await put([adult, label('dogs', 'show'), label('cats', 'warn')])
    expect(await get()).toEqual([adult, label('dogs', 'show'), label('cats', 'warn')])
    await put([label('cats', 'hide'), { ...adult, enabled: true }])
    expect(await get(alice.accessJwt, { pod: 1 })).toEqual([
      label('cats', 'hide'),
      { ...adult, enabled: true },
    ])
    await put([])
    expect(await get()).toEqual([])
    expect(await get(newcomer.accessJwt)).toEqual([])
  })

  test('come back as they were put, whatever an app puts into them', async () => {
    const odd = {
      $type: 'app.bsky.invented.defs#oddPref',
      text: 'nul \u0000, é, 🐦',
      deep: [{ z: 1, a: [null, true] }],
    }
    expect((await put([odd])).status).toBe(200)
    expect(JSON.stringify(await get())).toBe(JSON.stringify([odd]))
  })

  test('need a session', async () => {
    const answers = [
      await api.post('app.bsky.actor.putPreferences', { preferences: [] }),
      await api.get('app.bsky.actor.getPreferences'),
    ]
    expect(answers.map(({ body }) => body.error)).toEqual(['AuthMissing', 'AuthMissing'])
  })

  test('are all of app.bsky', async () => {
    await put([adult])
    for (const $type of ['com.atproto.server.defs#unknown', 'app.bskyish.defs#pref']) {
      expect(await put([{ $type }])).toMatchObject({
        status: 400,
        body: { error: 'InvalidRequest', message: 'Some preferences are not in the app.bsky namespace' },
      })
    }
    expect(await get()).toEqual([adult])
  })

  test('have a type', async () => {
    expect(await put([adult, { label: 'dogs', visibility: 'warn' }])).toMatchObject({
      status: 400,
      body: {
        error: 'InvalidRequest',
        message: expect.stringContaining('object which includes the "$type" property'),
      },
    })
  })

  test('are a bounded number of a bounded size', async () => {
    expect((await put(Array.from({ length: preferencesMax }, () => adult))).status).toBe(200)
    const tooMany = await put(Array.from({ length: preferencesMax + 1 }, () => adult))
    expect(tooMany).toMatchObject({
      status: 400,
      body: { message: `Too many preferences. Max: ${preferencesMax}` },
    })
    const large = (length: number) => [{ $type: 'app.bsky.x#y', text: 'x'.repeat(length) }]
    expect((await put(large(500 * 1024))).status).toBe(200)
    expect(await put(large(512 * 1024))).toMatchObject({ status: 413, body: { error: 'PayloadTooLarge' } })
  })

  test('of several writers at once are those of one of them', async () => {
    const lists = Array.from({ length: 8 }, (_, n) => [label(`a${n}`, 'hide'), label(`b${n}`, 'warn')])
    await Promise.all(lists.map((list, n) => put(list, alice.accessJwt, { pod: n % 2 })))
    expect(lists).toContainEqual(await get())
  })
})

describe('the day of birth', () => {
  test('is hidden from app passwords; the ages that it comes to are not', async () => {
    await put([personal, adult])
    expect(await get()).toEqual([personal, adult, grownUp])
    expect(await get(app)).toEqual([adult, grownUp])
    await put([{ ...personal, birthDate: new Date().toISOString() }])
    expect(await get(app)).toEqual([
      { ...grownUp, isOverAge13: false, isOverAge16: false, isOverAge18: false },
    ])
  })

  test('is neither set nor removed by app passwords', async () => {
    await put([personal])
    expect(await put([personal], app)).toMatchObject({
      status: 400,
      body: { message: `Do not have authorization to set preferences: ${personal.$type}` },
    })
    expect((await put([adult], app)).status).toBe(200)
    expect(await get()).toEqual([personal, adult, grownUp])
    await put([])
    expect(await get()).toEqual([])
  })

  test('decides on the ages, whatever is put', async () => {
    await put([personal, { ...grownUp, isOverAge13: false, isOverAge16: false, isOverAge18: false }])
    expect(await get()).toEqual([personal, grownUp])
    await put([grownUp])
    expect(await get()).toEqual([])
  })
})

describe('an account that is not active', () => {
  test('brings its preferences along if it is deactivated', async () => {
    const mover = await api.signUp('mover')
    await api.post('com.atproto.server.deactivateAccount', {}, { token: mover.accessJwt })
    expect((await put([adult], mover.accessJwt)).status).toBe(200)
    expect(await get(mover.accessJwt)).toEqual([adult])
  })

  test('reads and does not write them if it is taken down', async () => {
    const barred = await api.signUp('barred')
    await put([adult, personal], barred.accessJwt)
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: barred.did }
    const takedown = { subject, takedown: { applied: true, ref: 'x' } }
    await api.post('com.atproto.admin.updateSubjectStatus', takedown, { admin: true })
    const login = { identifier: barred.handle, password: 'barred-pass', allowTakendown: true }
    const limited = (await api.post('com.atproto.server.createSession', login)).body.accessJwt
    expect(await get(limited)).toEqual([adult, grownUp])
    expect((await put([], limited)).body.error).toBe('InvalidToken')
    expect((await put([], barred.accessJwt)).body.error).toBe('AccountTakedown')
  })

  test('leaves none behind when it is deleted', async () => {
    const leaver = await api.signUp('leaver')
    await put([adult], leaver.accessJwt)
    const rows = 'select * from preference p where not exists (select from account where id = p.account_id)'
    await api.post('com.atproto.admin.deleteAccount', { did: leaver.did }, { admin: true })
    expect((await api.db.pool.query(rows)).rows).toEqual([])
    expect((await get(leaver.accessJwt)) ?? 'refused').toBe('refused')
  })
})

describe('with a header', () => {
  test('they are kept here if it names the tenant’s AppView, or any where there is none', async () => {
    const headers = { 'atproto-proxy': 'did:web:api.bsky.app#bsky_appview' }
    expect((await put([adult], alice.accessJwt, { headers })).status).toBe(200)
    await api.set('one', { appView: { did: 'did:web:api.bsky.app', url: 'https://api.bsky.app' } })
    expect(await get(alice.accessJwt, { headers })).toEqual([adult])
    await api.set('one', { appView: null })
  })

  test('another service keeps its own, which are read and written there', async () => {
    await using other = await FakeService.start(api, ['bsky_appview', 'other'], {
      'app.bsky.actor.getPreferences': json({ preferences: [grownUp] }),
      'app.bsky.actor.putPreferences': json({}),
    })
    await put([adult])
    await api.set('one', { appView: { did: 'did:web:api.bsky.app', url: 'https://api.bsky.app' } })
    for (const id of ['bsky_appview', 'other']) {
      const headers = { 'atproto-proxy': `${other.did}#${id}` }
      expect(await get(alice.accessJwt, { headers })).toEqual([grownUp])
      expect((await put([personal], alice.accessJwt, { headers })).status).toBe(200)
      expect(JSON.parse(other.last.body.toString())).toEqual({ preferences: [personal] })
      expect((await other.verifyToken(api, 'app.bsky.actor.putPreferences')).iss).toBe(alice.did)
    }
    await api.set('one', { appView: null })
    expect(await get()).toEqual([adult])
  })
})

test('the official client’s own methods work', async () => {
  const agent = new AtpAgent({ service: await api.listen() })
  await agent.createAccount({ handle: 'fan.open.test', email: 'fan@mail.test', password: 'fan-pass' })
  await agent.setAdultContentEnabled(true)
  await agent.setPersonalDetails({ birthDate: '2000-02-03T00:00:00.000Z' })
  await agent.addMutedWord({ value: 'spoilers', targets: ['content'], actorTarget: 'all' })
  await agent.addSavedFeeds([{ type: 'timeline', value: 'following', pinned: true }])
  expect(await agent.getPreferences()).toMatchObject({
    birthDate: new Date('2000-02-03T00:00:00.000Z'),
    moderationPrefs: { adultContentEnabled: true, mutedWords: [{ value: 'spoilers' }] },
    savedFeeds: [{ value: 'following', pinned: true }],
  })
})
