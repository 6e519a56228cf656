import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

const server = 'com.atproto.server'
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('deactivateAccount and activateAccount', () => {
  // SPEC AU-7, IDN-12, SYN-5
  test('hide the account and show it again, with #identity, #account and #sync of a new commit', async () => {
    const { did, accessJwt: token } = await api.signUp('alice')
    const rev = async () =>
      (await api.db.pool.query('select rev, status from repo where did = $1', [did])).rows[0]
    const before = await rev()
    const deleteAfter = new Date(Date.now() + 3_600_000).toISOString()
    for (let n = 0; n < 2; n++) {
      expect((await api.post(`${server}.deactivateAccount`, { deleteAfter }, { token })).status).toBe(200)
    }
    expect(await rev()).toMatchObject({ status: 'deactivated', rev: before.rev })
    const session = await api.get(`${server}.getSession`, {}, { token, pod: 1 })
    expect(session.body).toMatchObject({ active: false, status: 'deactivated' })
    const input = { identifier: did, password: 'alice-pass' }
    expect((await api.post(`${server}.createSession`, input)).body).toMatchObject({ status: 'deactivated' })
    for (let n = 0; n < 2; n++) {
      expect((await api.post(`${server}.activateAccount`, undefined, { token })).status).toBe(200)
    }
    const after = await rev()
    expect(after.status).toBe('active')
    expect(after.rev > before.rev).toBe(true)
    const born = ['identity', 'account', 'commit']
    expect(await api.events(did)).toEqual([...born, 'account', 'identity', 'account', 'sync'])
    const { rows } = await api.db.pool.query('select delete_after from account where did = $1', [did])
    expect(rows).toEqual([{ delete_after: null }])
  })

  // SPEC IDN-12
  test('an account whose DID has gone elsewhere is not shown again', async () => {
    const { did, accessJwt: token } = await api.signUp('mover')
    const { plc } = api.pods[0]!.deps
    const { services } = await plc.data(did)
    const moved = { atproto_pds: { ...services['atproto_pds']!, endpoint: 'https://elsewhere.example' } }
    await plc.submit(did, await plc.signOperation(did, { services: moved }))
    await api.post(`${server}.deactivateAccount`, {}, { token })
    const answer = await api.post(`${server}.activateAccount`, undefined, { token })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(answer.body.message).toMatch(/does not match PDS public url/)
    const status = await api.get(`${server}.checkAccountStatus`, {}, { token })
    expect(status.body).toMatchObject({ activated: false, validDid: false })
  })

  test('an account can be hidden while nobody can tell whether it has moved', async () => {
    const { did, accessJwt: token } = await api.signUp('undirected')
    await using _outage = await api.plc.outage()
    expect((await api.post(`${server}.deactivateAccount`, {}, { token })).status).toBe(200)
    expect((await api.events(did)).at(-1)).toBe('account')
  })

  test('wants an instant', async () => {
    const { accessJwt: token } = await api.signUp('nodate')
    const answer = await api.post(`${server}.deactivateAccount`, { deleteAfter: 'tomorrow' }, { token })
    expect(answer.status).toBe(400)
  })
})

describe('a deactivated account', () => {
  test('is served to nobody, its handle names nobody, and all of it is back afterwards', async () => {
    const { did, accessJwt: token } = await api.signUp('hidden')
    const [collection, handle] = ['app.bsky.feed.post', 'hidden.one.test']
    const record = { $type: collection, text: 'hello', createdAt: new Date().toISOString() }
    const write = () =>
      api.post('com.atproto.repo.createRecord', { repo: did, collection, record }, { token })
    const rkey = (await write()).body.uri.split('/').at(-1)
    const reads: [string, Record<string, string>][] = [
      ['com.atproto.sync.getRepo', { did }],
      ['com.atproto.sync.getLatestCommit', { did }],
      ['com.atproto.sync.listBlobs', { did }],
      ['com.atproto.sync.getRecord', { did, collection, rkey }],
      ['com.atproto.repo.getRecord', { repo: did, collection, rkey }],
      ['com.atproto.repo.describeRepo', { repo: did }],
      ['com.atproto.identity.resolveHandle', { handle }],
    ]
    const statuses = () =>
      Promise.all(reads.map(async ([nsid, params]) => (await api.get(nsid, params)).status))
    expect(await statuses()).toEqual(reads.map(() => 200))
    await api.post(`${server}.deactivateAccount`, {}, { token })
    expect(await statuses()).toEqual(reads.map(() => 400))
    for (const [nsid, params] of reads.slice(0, 4)) {
      expect((await api.get(nsid, params)).body).toMatchObject({ error: 'RepoDeactivated' })
    }
    expect(await write()).toMatchObject({ status: 401, body: { error: 'AccountDeactivated' } })
    const gone = { did, active: false, status: 'deactivated' }
    expect((await api.get('com.atproto.sync.getRepoStatus', { did })).body).toEqual(gone)
    const { body } = await api.get('com.atproto.sync.listRepos', { limit: '1000' })
    expect(body.repos).toContainEqual(expect.objectContaining(gone))
    const info = () => api.get('com.atproto.admin.getAccountInfo', { did }, { admin: true })
    expect((await info()).body.deactivatedAt).toEqual(expect.any(String))
    await api.post(`${server}.activateAccount`, undefined, { token })
    expect(await statuses()).toEqual(reads.map(() => 200))
    expect((await info()).body.deactivatedAt).toBeUndefined()
  })

  test('keeps its handle: nobody else gets it', async () => {
    const { accessJwt: token } = await api.signUp('keeper')
    await api.post(`${server}.deactivateAccount`, {}, { token })
    const input = { handle: 'keeper.one.test', email: 'other@mail.test', password: 'other-pass' }
    expect((await api.post(`${server}.createAccount`, input)).body.error).toBe('HandleNotAvailable')
  })
})

// SPEC ACC-5
test('checkAccountStatus counts what is there', async () => {
  const { did, accessJwt: token } = await api.signUp('counter')
  const { rows } = await api.db.pool.query('select rev from repo where did = $1', [did])
  expect((await api.get(`${server}.checkAccountStatus`, {}, { token })).body).toEqual({
    activated: true,
    validDid: true,
    repoCommit: expect.stringMatching(/^bafyrei/),
    repoRev: rows[0].rev,
    repoBlocks: 2,
    indexedRecords: 0,
    privateStateValues: 0,
    expectedBlobs: 0,
    importedBlobs: 0,
  })
})

describe('deleteAccount', () => {
  async function prepare(name: string): Promise<{ did: string; accessJwt: string; token: string }> {
    const { did, accessJwt } = await api.signUp(name)
    const asked = await api.post(`${server}.requestAccountDelete`, undefined, { token: accessJwt })
    expect(asked.status).toBe(200)
    return { did, accessJwt, token: await api.mailedToken(`${name}@mail.test`) }
  }

  // SPEC ACC-8
  test('wants the password and the mailed token, and leaves nothing but the tombstone and a job', async () => {
    const { did, accessJwt, token } = await prepare('dan')
    const password = 'dan-pass'
    const refused = async (change: object) =>
      (await api.post(`${server}.deleteAccount`, { did, password, token, ...change })).body
    expect(await refused({ password: 'wrong-password' })).toMatchObject({
      error: 'AuthenticationRequired',
      message: 'Invalid did or password',
    })
    expect(await refused({ did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })).toMatchObject({
      error: 'AuthenticationRequired',
    })
    expect(await refused({ token: 'AAAAA-AAAAA' })).toMatchObject({ error: 'InvalidToken' })
    const options = { host: 'two.test' }
    const elsewhere = await api.post(`${server}.deleteAccount`, { did, password, token }, options)
    expect(elsewhere.body.error).toBe('AuthenticationRequired')

    const { rows: before } = await api.db.pool.query('select id from account where did = $1', [did])
    const input = { did, password, token: token.toLowerCase() }
    expect((await api.post(`${server}.deleteAccount`, input, { pod: 1 })).status).toBe(200)
    expect(await refused({})).toMatchObject({ error: 'AuthenticationRequired' })
    expect(await api.get(`${server}.getSession`, {}, { token: accessJwt })).toMatchObject({
      status: 403,
      body: { error: 'AccountNotFound' },
    })
    const { rows: jobs } = await api.db.pool.query(
      `select payload from job_outbox where queue = 'account-deletion'`,
    )
    expect(jobs).toEqual([{ payload: expect.objectContaining({ accountId: before[0].id, did }) }])
    const { rows: events } = await api.db.pool.query(
      'select kind from event_queue where account_id = $1 order by id',
      [before[0].id],
    )
    expect(events.map(({ kind }) => kind)).toEqual(['identity', 'account', 'commit', 'account'])
    const { rows: tombstones } = await api.db.pool.query('select rev from account_tombstone where did = $1', [
      did,
    ])
    expect(tombstones).toHaveLength(1)
    expect((await api.signUp('dan')).did).not.toBe(did)
  })

  test('deletes an account that was taken down meanwhile', async () => {
    const { did, token } = await prepare('tessa')
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did }
    const change = { subject, takedown: { applied: true } }
    await api.post('com.atproto.admin.updateSubjectStatus', change, { admin: true })
    const input = { did, password: 'tessa-pass', token }
    expect((await api.post(`${server}.deleteAccount`, input)).status).toBe(200)
    const signIn = await api.post(`${server}.createSession`, {
      identifier: did,
      password: 'tessa-pass',
      allowTakendown: true,
    })
    expect(signIn).toMatchObject({ status: 401, body: { message: 'Invalid identifier or password' } })
    const { rows } = await api.db.pool.query('select did from repo where did = $1', [did])
    expect(rows).toEqual([])
  })

  test('an expired token does not delete', async () => {
    const { did, token } = await prepare('eve')
    await api.db.pool.query(`update email_token set requested_at = now() - interval '16 minutes'`)
    const answer = await api.post(`${server}.deleteAccount`, { did, password: 'eve-pass', token })
    expect(answer).toMatchObject({ status: 400, body: { error: 'ExpiredToken' } })
  })

  test('two deletions with one token: one of them', async () => {
    const { did, token } = await prepare('frank')
    const answers = await Promise.all(
      [0, 1].map((pod) =>
        api.post(`${server}.deleteAccount`, { did, password: 'frank-pass', token }, { pod }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})

describe('moving in', () => {
  const createAccount = `${server}.createAccount`

  /** An account on two.test and a service token with which one.test may create it. */
  async function emigrant(name: string): Promise<{ did: string; accessJwt: string; serviceToken: string }> {
    const { did, accessJwt } = await api.signUp(name, { handle: `${name}.two.test` }, { host: 'two.test' })
    const params = { aud: 'did:web:one.test', lxm: createAccount }
    const answer = await api.get(`${server}.getServiceAuth`, params, { token: accessJwt, host: 'two.test' })
    return { did, accessJwt, serviceToken: answer.body.token }
  }

  function inputOf(name: string, did: string) {
    return { did, handle: `${name}.one.test`, email: `${name}2@mail.test`, password: `${name}-pass` }
  }

  // SPEC ACC-4
  test('an account moves from one host to the other', async () => {
    const { did, accessJwt: oldToken, serviceToken } = await emigrant('grace')
    const reserved = await api.post(`${server}.reserveSigningKey`, { did })
    const created = await api.post(createAccount, inputOf('grace', did), { token: serviceToken })
    expect(created).toMatchObject({ status: 200, body: { did, handle: 'grace.one.test' } })
    const token = created.body.accessJwt
    expect((await api.get(`${server}.getSession`, {}, { token })).body.status).toBe('deactivated')
    expect((await api.post(`${server}.activateAccount`, undefined, { token })).status).toBe(400)

    const recommended = await api.get('com.atproto.identity.getRecommendedDidCredentials', {}, { token })
    expect(recommended.body).toMatchObject({
      alsoKnownAs: ['at://grace.one.test'],
      verificationMethods: { atproto: reserved.body.signingKey },
      services: { atproto_pds: { endpoint: 'https://one.test' } },
    })
    const old = { token: oldToken, host: 'two.test' }
    await api.post('com.atproto.identity.requestPlcOperationSignature', undefined, old)
    const mailed = await api.mailedToken('grace@mail.test')
    const unsigned = await api.post('com.atproto.identity.signPlcOperation', recommended.body, old)
    expect(unsigned).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    const signed = await api.post(
      'com.atproto.identity.signPlcOperation',
      { ...recommended.body, token: mailed },
      old,
    )
    expect(signed.status).toBe(200)
    const again = await api.post('com.atproto.identity.signPlcOperation', { token: mailed }, old)
    expect(again).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
    const submitted = await api.post('com.atproto.identity.submitPlcOperation', signed.body, { token })
    expect(submitted.status).toBe(200)
    expect((await api.get(`${server}.checkAccountStatus`, {}, { token })).body).toMatchObject({
      activated: false,
      validDid: true,
    })
    expect((await api.post(`${server}.activateAccount`, undefined, { token, pod: 1 })).status).toBe(200)
    expect((await api.post(`${server}.deactivateAccount`, {}, old)).status).toBe(200)
    const { rows } = await api.db.pool.query(
      `select hostname, event_queue.kind from event_queue join host on host.id = host_id
        where account_id in (select id from account where did = $1) order by event_queue.id`,
      [did],
    )
    expect(rows.map(({ hostname, kind }) => `${hostname} ${kind}`)).toEqual([
      'two.test identity',
      'two.test account',
      'two.test commit',
      'one.test identity',
      'one.test identity',
      'one.test account',
      'one.test sync',
      'two.test account',
      'two.test identity',
    ])
    expect((await api.get(`${server}.getSession`, {}, { token })).body).toMatchObject({ active: true })
  })

  // SPEC SA-5, ACC-2
  test('wants proof of the DID for this very host and method, and each proof once', async () => {
    const { did, accessJwt, serviceToken } = await emigrant('hans')
    const input = inputOf('hans', did)
    expect(await api.post(createAccount, input)).toMatchObject({
      status: 401,
      body: { error: 'AuthenticationRequired' },
    })
    const other = await emigrant('heidi')
    expect((await api.post(createAccount, input, { token: other.serviceToken })).status).toBe(401)
    const token = async (params: Record<string, string>) =>
      (await api.get(`${server}.getServiceAuth`, params, { token: accessJwt, host: 'two.test' })).body.token
    const wrongMethod = await token({ aud: 'did:web:one.test', lxm: 'com.atproto.repo.uploadBlob' })
    expect(await api.post(createAccount, input, { token: wrongMethod })).toMatchObject({
      status: 401,
      body: { error: 'BadJwtLexiconMethod' },
    })
    const wrongHost = await token({ aud: 'did:web:two.test', lxm: createAccount })
    expect((await api.post(createAccount, input, { token: wrongHost })).body.error).toBe('BadJwtAudience')
    expect((await api.post(createAccount, input, { token: accessJwt })).body.error).toBe('BadJwtType')
    expect((await api.post(createAccount, input, { token: serviceToken })).status).toBe(200)
    const replayed = await api.post(createAccount, { ...input, did }, { token: serviceToken, pod: 1 })
    expect(replayed).toMatchObject({ status: 401, body: { error: 'BadJwt' } })
  })

  test('the host that an account has left still signs for it, so that the move can be undone', async () => {
    const { did, accessJwt: token } = await emigrant('olaf')
    const old = { token, host: 'two.test' }
    expect((await api.post(`${server}.deactivateAccount`, {}, old)).status).toBe(200)
    await api.post('com.atproto.identity.requestPlcOperationSignature', undefined, old)
    const mailed = await api.mailedToken('olaf@mail.test')
    const input = { token: mailed, alsoKnownAs: ['at://olaf.example.com'] }
    const signed = await api.post('com.atproto.identity.signPlcOperation', input, old)
    const { plc } = api.pods[0]!.deps
    await plc.submit(did, signed.body.operation)
    expect((await plc.data(did)).alsoKnownAs).toEqual(input.alsoKnownAs)
  })

  test('a handle of one’s own must name the DID', async () => {
    const { did, accessJwt, serviceToken } = await emigrant('ida')
    const input = { ...inputOf('ida', did), handle: 'ida.example.com' }
    const answer = await api.post(createAccount, input, { token: serviceToken })
    expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(answer.body.message).toBe('External handle did not resolve to DID')
    api.dns.set('_atproto.ida.example.com', [`did=${did}`])
    const params = { aud: 'did:web:one.test', lxm: createAccount }
    const options = { token: accessJwt, host: 'two.test' }
    const { body } = await api.get(`${server}.getServiceAuth`, params, options)
    expect((await api.post(createAccount, input, { token: body.token })).body).toMatchObject({
      did,
      handle: 'ida.example.com',
    })
  })
})
