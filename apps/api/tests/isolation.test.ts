import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Attempt, type Victim, attempts, otherRoutes } from './isolation-cases.ts'
import { TestApi } from './test-api.ts'

const marker = 'words that only the victim wrote'
const blobBytes = Buffer.from('GIF89a bytes that only the victim uploaded')
const xrpc = '/xrpc/'

let api: TestApi
let victim: Victim
let neighbour: { accessJwt: string; refreshJwt: string }

beforeAll(async () => {
  api = await TestApi.start()
  const account = await api.signUp('victim')
  const token = account.accessJwt
  const upload = await api.request(
    {
      method: 'POST',
      url: `${xrpc}com.atproto.repo.uploadBlob`,
      payload: blobBytes,
      headers: { 'content-type': 'image/gif' },
    },
    { token, headers: { 'content-type': 'image/gif' } },
  )
  const { blob } = upload.body
  const profile = {
    $type: 'app.bsky.actor.profile',
    displayName: 'Victim',
    avatar: { ...blob, mimeType: 'image/gif' },
  }
  await create(token, {
    repo: account.did,
    collection: 'app.bsky.actor.profile',
    rkey: 'self',
    record: profile,
    validate: false,
  })
  const record = { $type: 'app.bsky.feed.post', text: marker, createdAt: new Date().toISOString() }
  const written = await create(token, { repo: account.did, collection: 'app.bsky.feed.post', record })
  const { rows } = await api.db.pool.query<{ id: number }>('select id from account where did = $1', [
    account.did,
  ])
  // A mail of the account, so that there is something to find.
  await api.post('com.atproto.server.requestEmailConfirmation', undefined, { token })
  await api.mailedToken('victim@mail.test')
  victim = {
    did: account.did,
    handle: account.handle,
    email: 'victim@mail.test',
    password: 'victim-pass',
    accessJwt: token,
    refreshJwt: account.refreshJwt,
    recordCid: written.cid,
    commitCid: written.commit.cid,
    blobCid: blob.ref.$link,
    rkey: written.uri.split('/').at(-1),
    accountId: rows[0]!.id,
  }
  neighbour = await api.signUp('neighbour', { handle: 'neighbour.two.test' }, { host: 'two.test' })
})
afterAll(() => api[Symbol.asyncDispose]())

async function create(token: string, input: object): Promise<any> {
  const answer = await api.post('com.atproto.repo.createRecord', input, { token })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

/** Returns every route of the api process: Fastify prints them as a tree of shared beginnings, four columns a level. */
function routes(): string[] {
  const beginnings: string[] = []
  const urls: string[] = []
  for (const line of api.pods[0]!.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const found = /^(.*?)[├└]── (\S*)( \([A-Z, ]+\))?$/.exec(line)
    if (found === null) continue
    const level = found[1]!.length / 4
    beginnings.length = level
    const slash = level > 1 && found[2] === '*' ? '/' : ''
    beginnings.push((beginnings.at(-1) ?? '') + slash + found[2]!)
    if (found[3] !== undefined) urls.push(beginnings.at(-1)!)
  }
  return urls.filter((url) => url !== '/*' && url !== '*')
}

const callers: Record<string, () => Record<string, string>> = {
  nobody: () => ({}),
  'the victim with an access token': () => ({ authorization: `Bearer ${victim.accessJwt}` }),
  'the victim with a refresh token': () => ({ authorization: `Bearer ${victim.refreshJwt}` }),
  'an account of the other host': () => ({ authorization: `Bearer ${neighbour.accessJwt}` }),
  'the operator': () => ({
    authorization: `Basic ${Buffer.from('admin:operator-password').toString('base64')}`,
  }),
}

test('every route has its case', () => {
  const methods = routes()
    .filter((url) => url.startsWith(xrpc) && !url.startsWith(`${xrpc}_`))
    .map((url) => url.slice(xrpc.length))
  expect(methods.length).toBeGreaterThan(30)
  expect(
    methods.filter((nsid) => !(nsid in attempts)),
    'add these to isolation-cases.ts',
  ).toEqual([])
  expect(
    Object.keys(attempts).filter((nsid) => !methods.includes(nsid)),
    'remove these from isolation-cases.ts',
  ).toEqual([])
  const others = routes().filter((url) => !url.startsWith(xrpc) || url.startsWith(`${xrpc}_`))
  expect(
    others.filter((url) => !(url in otherRoutes)),
    'add these to isolation-cases.ts',
  ).toEqual([])
})

describe.each(Object.keys(callers))('through the other host, %s', (caller) => {
  test.each(Object.keys(attempts))('reaches nothing of the account by %s', async (nsid) => {
    const attempt = attempts[nsid]!(victim)
    const before = await everythingOf(victim.accountId)
    const asked = JSON.stringify([attempt.params, attempt.input]) ?? ''
    const answer = await send(nsid, attempt, callers[caller]!())
    expect(await everythingOf(victim.accountId)).toEqual(before)
    if (attempt.mayAnswer !== undefined) return
    const text = `${answer.rawPayload.toString('latin1')} ${JSON.stringify(answer.headers)}`
    const secrets = [
      victim.did,
      victim.handle,
      victim.email,
      victim.recordCid,
      victim.commitCid,
      marker,
      blobBytes.toString('latin1'),
    ]
    expect(
      secrets.filter((secret) => text.includes(secret) && !asked.includes(secret)),
      'parts of the account in the answer',
    ).toEqual([])
    // Whoever names the account gets an answer for an account that is not there; the rest is about the caller alone.
    const isAboutVictim = asked.includes(victim.did) || caller.startsWith('the victim')
    const mayBeAnswered = !isAboutVictim || isForAnybody(nsid)
    expect(mayBeAnswered || answer.statusCode >= 400, text).toBe(true)
  })
})

test.each(Object.keys(otherRoutes))('%s of the other host says nothing of the account', async (url) => {
  const { payload } = await api.pods[0]!.app.inject({ url, headers: { host: 'two.test' } })
  expect([victim.did, victim.handle].filter((secret) => payload.includes(secret))).toEqual([])
})

test('the same requests at its own host do reach the account', async () => {
  const record = await api.get('com.atproto.repo.getRecord', {
    repo: victim.did,
    collection: 'app.bsky.feed.post',
    rkey: victim.rkey,
  })
  expect(record).toMatchObject({ status: 200, body: { value: { text: marker } } })
  expect((await api.get('com.atproto.sync.listRepos')).body.repos).toMatchObject([{ did: victim.did }])
  expect((await api.get('com.atproto.server.getSession', {}, { token: victim.accessJwt })).status).toBe(200)
})

/** Methods that answer everybody without regard to any account of the host. */
function isForAnybody(nsid: string): boolean {
  return [
    'com.atproto.server.describeServer',
    // Lists leave out what the host does not have.
    'com.atproto.admin.disableInviteCodes',
    'com.atproto.admin.getAccountInfos',
    'com.atproto.admin.searchAccounts',
    'net.rookery.admin.listAuditEntries',
    'com.atproto.sync.listRepos',
    // An operator may invite whoever is to come; a key may be reserved for an account that migrates in.
    'com.atproto.server.createInviteCode',
    'com.atproto.server.createInviteCodes',
    'com.atproto.server.reserveSigningKey',
  ].includes(nsid)
}

function send(route: string, attempt: Attempt, credentials: Record<string, string>) {
  const nsid = attempt.nsid ?? route
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(attempt.params ?? {})) {
    for (const one of [value].flat()) query.append(name, one)
  }
  const isQuery = api.pods[0]!.deps.lexicons.methodOf(nsid)?.type === 'query'
  const headers = { host: 'two.test', ...credentials }
  const url = `${xrpc}${nsid}?${query.toString()}`
  if (isQuery) return api.pods[0]!.app.inject({ method: 'GET', url, headers })
  if (attempt.bytes !== undefined) {
    const { type, body } = attempt.bytes
    return api.pods[0]!.app.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': type },
      payload: body,
    })
  }
  const payload = attempt.input === undefined ? {} : { payload: attempt.input as object }
  return api.pods[0]!.app.inject({ method: 'POST', url, headers, ...payload })
}

/** Returns every row of the account, from every table that has a column for it. */
async function everythingOf(accountId: number): Promise<Record<string, unknown[]>> {
  const tables = await api.db.pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns join pg_class on relname = table_name
     where column_name = 'account_id' and table_schema = 'public' and not relispartition order by 1`,
  )
  const rows: Record<string, unknown[]> = {}
  for (const { name } of tables.rows) {
    const found = await api.db.pool.query(`select t::text from ${name} t where account_id = $1 order by 1`, [
      accountId,
    ])
    rows[name] = found.rows
  }
  rows['account'] = (await api.db.pool.query('select t::text from account t where id = $1', [accountId])).rows
  return rows
}
