import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

type Session = { did: string; handle: string; accessJwt: string }

let api: TestApi
beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const collection = 'com.example.note'
const path = { collection, rkey: 'kept' }

/** Signs somebody up and lets both pods write a commit, so that both know the account. */
async function writer(name: string): Promise<Session> {
  const session: Session = await api.signUp(name)
  for (const pod of [0, 1]) {
    for (let n = 0; n < 2; n++) {
      const answer = await write(session, 'putRecord', { ...path, record: { n, pod } }, pod)
      expect(answer.status).toBe(200)
      expect(answer.body.commit).toBeDefined()
    }
  }
  return session
}

function write(session: Session, method: string, input: object, pod: number): Promise<Answer> {
  const options = { token: session.accessJwt, pod }
  return api.post(`com.atproto.repo.${method}`, { repo: session.did, ...input }, options)
}

/** Each way to write: those that would commit, those with nothing to do, and one that cannot be carried out. */
const writes: [method: string, input: object][] = [
  ['createRecord', { collection, record: { a: 1 } }],
  ['putRecord', { ...path, record: { a: 1 } }],
  ['putRecord', { ...path, record: { n: 1, pod: 1 } }],
  ['deleteRecord', path],
  ['deleteRecord', { collection, rkey: 'missing' }],
  [
    'createRecord',
    {
      collection,
      record: { a: 1 },
      swapCommit: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
    },
  ],
  ['applyWrites', { writes: [{ $type: 'com.atproto.repo.applyWrites#delete', ...path }] }],
  ['applyWrites', { writes: [] }],
]

async function expectRefused(session: Session, expected: object): Promise<void> {
  for (const pod of [0, 1]) {
    for (const [method, input] of writes) {
      expect([method, await write(session, method, input, pod)]).toMatchObject([method, expected])
    }
  }
}

function setStatus({ did }: Session, change: object): Promise<Answer> {
  const subject = { $type: 'com.atproto.admin.defs#repoRef', did }
  return api.post('com.atproto.admin.updateSubjectStatus', { subject, ...change }, { admin: true, pod: 1 })
}

// SPEC SYN-13, AU-11
describe('an account that has written may no longer write, by any pod, from the answer on to', () => {
  test('its takedown', async () => {
    const alice = await writer('alice')
    expect((await setStatus(alice, { takedown: { applied: true, ref: 'x' } })).status).toBe(200)
    await expectRefused(alice, { status: 401, body: { error: 'AccountTakedown' } })
    await setStatus(alice, { takedown: { applied: false } })
    expect((await write(alice, 'putRecord', { ...path, record: {} }, 0)).body.commit).toBeDefined()
  })

  test('its deactivation', async () => {
    const bob = await writer('bob')
    await api.post('com.atproto.server.deactivateAccount', {}, { token: bob.accessJwt, pod: 1 })
    await expectRefused(bob, { status: 401, body: { error: 'AccountDeactivated' } })
    await api.post('com.atproto.server.activateAccount', undefined, { token: bob.accessJwt, pod: 1 })
    expect((await write(bob, 'putRecord', { ...path, record: {} }, 0)).body.commit).toBeDefined()
  })

  test('its deletion', async () => {
    const carol = await writer('carol')
    const { did, accessJwt } = carol
    await api.post('com.atproto.server.requestAccountDelete', undefined, { token: accessJwt })
    const input = { did, password: 'carol-pass', token: await api.mailedToken('carol@mail.test') }
    expect((await api.post('com.atproto.server.deleteAccount', input, { pod: 1 })).status).toBe(200)
    await expectRefused(carol, { status: 403, body: { error: 'AccountNotFound' } })
  })
})

test('an account that is here anew under another id writes with the next request', async () => {
  const dave = await writer('dave')
  const { rows } = await api.db.pool.query('select id, id + 1000 as anew from account where did = $1', [
    dave.did,
  ])
  const { id, anew } = rows[0]
  await api.db.pool.query('update account set id = $2 where id = $1', [id, anew])
  for (const table of ['repo', 'record', 'pack', 'signing_key']) {
    await api.db.pool.query(`update ${table} set account_id = $2 where account_id = $1`, [id, anew])
  }
  for (const pod of [0, 1]) {
    const answer = await write(dave, 'createRecord', { collection, record: { pod } }, pod)
    expect(answer).toMatchObject({ status: 200, body: { commit: {} } })
  }
  const listed = await api.get('com.atproto.repo.listRecords', { repo: dave.did, collection })
  expect(listed.body.records).toHaveLength(3)
})

test('the repo may be named by the handle, as it is now', async () => {
  const erin = await writer('erin')
  const named = (repo: string, pod: number) =>
    write(erin, 'createRecord', { repo, collection, record: {} }, pod)
  expect((await named('ERIN.one.test', 0)).status).toBe(200)
  await api.db.pool.query(`update account set handle = 'eve.one.test' where did = $1`, [erin.did])
  for (const pod of [0, 1]) {
    expect((await named('eve.one.test', pod)).status).toBe(200)
    for (const other of ['erin.one.test', 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa']) {
      expect(await named(other, pod)).toMatchObject({
        status: 401,
        body: { error: 'AuthenticationRequired' },
      })
    }
  }
})
