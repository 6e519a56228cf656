import {
  type LexiconAuthority,
  type TestNameserver,
  startLexiconAuthority,
  startTestNameserver,
} from '@rookery/testkit'
import { type TenantSettingsInput, updateTenant } from '@rookery/tenants'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

const note = 'org.example.note'
const unknown = 'org.example.unknown'
const good = { $type: note, text: 'text' }
const bad = { $type: note, text: 1 }
const schema = {
  lexicon: 1,
  id: note,
  defs: {
    main: {
      type: 'record',
      key: 'any',
      record: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
    },
  },
}

let nameserver: TestNameserver
let authority: LexiconAuthority
let api: TestApi
let did: string
let token: string

beforeAll(async () => {
  nameserver = await startTestNameserver()
  authority = await startLexiconAuthority()
  nameserver.records.set('_lexicon.example.org', [`did=${authority.did}`])
  await authority.publish(note, schema)
  api = await TestApi.start({ ROOKERY_IDENTITY_NAMESERVERS: nameserver.address })
  ;({ did, accessJwt: token } = await api.signUp('alice'))
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await authority[Symbol.asyncDispose]()
  await nameserver[Symbol.asyncDispose]()
})

async function setPolicy(
  lexiconResolution: NonNullable<TenantSettingsInput['lexiconResolution']>,
): Promise<void> {
  await updateTenant(api.db.database.kysely, 'one', { settings: { lexiconResolution } })
  for (const { deps } of api.pods) await deps.directory.refresh()
}

function create(record: { $type: string }, more: object = {}, pod = 0): Promise<Answer> {
  const input = { repo: did, collection: record.$type, record, ...more }
  return api.post('com.atproto.repo.createRecord', input, { token, pod })
}

const statusOf = ({ body }: Answer): unknown => body.validationStatus ?? body.error

// SPEC LEX-1
describe('a tenant that has lexicons looked up', () => {
  beforeEach(() => setPolicy('validate'))

  test('gets records checked that keep to them, those that do not refused, and others as ever', async () => {
    expect(statusOf(await create(good))).toBe('valid')
    const refused = await create(bad, {}, 1)
    expect(refused).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(refused.body.message).toBe('Invalid org.example.note record: Record/text must be a string')
    expect(statusOf(await create({ $type: unknown }))).toBe('unknown')
    expect((await create(bad, { validate: false })).status).toBe(200)
    expect((await create({ $type: unknown }, { validate: true })).body.message).toBe(
      `Unknown lexicon type: ${unknown}`,
    )
  })

  test('in putRecord and applyWrites too', async () => {
    const put = { repo: did, collection: note, rkey: 'a', record: bad }
    expect((await api.post('com.atproto.repo.putRecord', put, { token })).status).toBe(400)
    const write = (value: object) => ({
      $type: 'com.atproto.repo.applyWrites#create',
      collection: note,
      value,
    })
    const apply = (...values: object[]) =>
      api.post('com.atproto.repo.applyWrites', { repo: did, writes: values.map(write) }, { token })
    expect((await apply(good, bad)).status).toBe(400)
    expect((await apply(good, good)).body.results).toMatchObject([
      { validationStatus: 'valid' },
      { validationStatus: 'valid' },
    ])
  })

  test('of which both pods and all writes ask once', async () => {
    await create(good, {}, 0)
    await create(good, {}, 1)
    expect(authority.requests.filter((path) => path.endsWith(note))).toHaveLength(1)
  })
})

describe('a tenant that requires lexicons', () => {
  beforeEach(() => setPolicy('require'))

  test('takes no record without one, nor one that breaks it, whatever the client asks for', async () => {
    expect(statusOf(await create(good, { validate: false }))).toBe('valid')
    for (const validate of [true, false, undefined]) {
      expect((await create({ $type: unknown }, { validate })).body.message).toBe(
        `Unknown lexicon type: ${unknown}`,
      )
      expect((await create(bad, { validate })).body.error).toBe('InvalidRequest')
    }
    const like = { $type: 'app.bsky.feed.like', subject: 1 }
    expect((await create(like, { validate: false })).status).toBe(400)
  })
})

test('a tenant that has none looked up takes what it cannot check', async () => {
  await setPolicy('off')
  expect(statusOf(await create(bad))).toBe('unknown')
  expect((await create(good, { validate: true })).body.message).toBe(`Unknown lexicon type: ${note}`)
})

// SPEC LEX-11
describe('com.atproto.lexicon.resolveLexicon', () => {
  test('answers what the authority publishes', async () => {
    const answer = await api.get('com.atproto.lexicon.resolveLexicon', { nsid: note })
    expect(answer).toMatchObject({
      status: 200,
      body: {
        uri: `at://${authority.did}/com.atproto.lexicon.schema/${note}`,
        cid: expect.stringMatching(/^bafyrei/),
        schema: { $type: 'com.atproto.lexicon.schema', ...schema },
      },
    })
  })

  test.each([
    ['org.example.none', 'LexiconNotFound'],
    ['net.nowhere.none', 'LexiconNotFound'],
    ['none', 'InvalidRequest'],
  ])('of %s says %s', async (nsid, error) => {
    expect(await api.get('com.atproto.lexicon.resolveLexicon', { nsid })).toMatchObject({
      status: 400,
      body: { error },
    })
  })
})
