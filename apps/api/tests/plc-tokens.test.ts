import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

const server = 'com.atproto.server'
const identity = 'com.atproto.identity'
const away = { status: 502, body: { error: 'UpstreamFailure' } }
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

/** Signs somebody up who then asks for the token. */
async function asking(name: string): Promise<{ did: string; token: string; mailed: string }> {
  const { did, accessJwt: token } = await api.signUp(name)
  return { did, token, mailed: await askAgain(name, token) }
}

async function askAgain(name: string, token: string): Promise<string> {
  const asked = await api.post(`${identity}.requestPlcOperationSignature`, undefined, { token })
  expect(asked.status).toBe(200)
  return api.mailedToken(`${name}@mail.test`)
}

function sign(token: string, mailed: string, change: object = {}, pod = 0) {
  return api.post(`${identity}.signPlcOperation`, { token: mailed, ...change }, { token, pod })
}

const invalid = { status: 400, body: { error: 'InvalidToken' } }
const expired = { status: 400, body: { error: 'ExpiredToken' } }
const lateBy = (minutes: number) =>
  api.db.pool.query(`update email_token set requested_at = now() - $1::integer * interval '1 minute'`, [
    minutes,
  ])

describe('the token of signPlcOperation', () => {
  test('is good once, also for two who come at the same moment', async () => {
    const { token, mailed } = await asking('bella')
    const answers = await Promise.all([sign(token, mailed, {}, 0), sign(token, mailed, {}, 1)])
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 400])
    expect(await sign(token, mailed)).toMatchObject(invalid)
  })

  test('is good for fifteen minutes', async () => {
    const { token, mailed } = await asking('cleo')
    await lateBy(15)
    expect(await sign(token, mailed)).toMatchObject(expired)
    await lateBy(14)
    expect((await sign(token, mailed)).status).toBe(200)
  })

  test('is dead after five wrong tries, until a new one is asked for', async () => {
    const { token, mailed } = await asking('dirk')
    for (let n = 0; n < 4; n++) expect(await sign(token, 'AAAAA-AAAAA')).toMatchObject(invalid)
    expect(await sign(token, 'AAAAA-AAAAA')).toMatchObject(invalid)
    expect(await sign(token, mailed)).toMatchObject(invalid)
    const fresh = await askAgain('dirk', token)
    expect(await sign(token, mailed)).toMatchObject(invalid)
    expect((await sign(token, fresh)).status).toBe(200)
  })

  test('is good after four wrong tries, for its own account and purpose only', async () => {
    const { token, mailed } = await asking('ella')
    const { token: other } = await asking('fay')
    for (let n = 0; n < 4; n++) expect(await sign(token, 'AAAAA-AAAAA')).toMatchObject(invalid)
    expect(await sign(other, mailed)).toMatchObject(invalid)
    const { accessJwt } = await api.signUp('gwen')
    await api.post(`${server}.requestAccountDelete`, undefined, { token: accessJwt })
    expect(await sign(accessJwt, await api.mailedToken('gwen@mail.test'))).toMatchObject(invalid)
    expect((await sign(token, mailed)).status).toBe(200)
  })

  test('costs nothing when the operation cannot be made', async () => {
    const { token, mailed } = await asking('hugo')
    const key = 'did:key:zQ3shunBKsXixLxKtC5qeSG9E4J5RkGN57im31pcTzbNQnm5w'
    const tooMany = await sign(token, mailed, { rotationKeys: Array.from({ length: 6 }, () => key) })
    expect(tooMany).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect((await sign(token, mailed)).status).toBe(200)
  })
})

describe('while the PLC directory is away', () => {
  test('nothing is half done, and everything works afterwards', async () => {
    const { did, token, mailed } = await asking('ida')
    const { body: signed } = await sign(token, mailed)
    const again = await askAgain('ida', token)
    const eventsBefore = await api.events(did)
    const newcomer = { handle: 'jan.one.test', email: 'jan@mail.test', password: 'jan-pass' }
    {
      await using _outage = await api.plc.outage()
      expect(await sign(token, again)).toMatchObject(away)
      expect(await api.post(`${identity}.submitPlcOperation`, signed, { token })).toMatchObject(away)
      expect(
        await api.post(`${identity}.updateHandle`, { handle: 'ida2.one.test' }, { token }),
      ).toMatchObject(away)
      expect(await api.post(`${server}.createAccount`, newcomer)).toMatchObject(away)
      await api.post(`${server}.deactivateAccount`, {}, { token })
      expect(await api.post(`${server}.activateAccount`, undefined, { token })).toMatchObject(away)
    }
    expect(await api.events(did)).toEqual([...eventsBefore, 'account'])
    const { rows } = await api.db.pool.query(
      `select handle from account where handle in ('jan.one.test', 'ida.one.test', 'ida2.one.test')
       union all select handle from account_claim`,
    )
    expect(rows).toEqual([{ handle: 'ida.one.test' }])
    expect((await api.post(`${server}.activateAccount`, undefined, { token })).status).toBe(200)
    expect((await sign(token, again)).status).toBe(200)
    expect((await api.post(`${identity}.submitPlcOperation`, signed, { token })).status).toBe(200)
    expect((await api.post(`${identity}.updateHandle`, { handle: 'ida2.one.test' }, { token })).status).toBe(
      200,
    )
    expect((await api.post(`${server}.createAccount`, newcomer)).status).toBe(200)
  })

  test('nobody can prove a DID: that is no fault of the token', async () => {
    const { did, accessJwt } = await api.signUp('karl', { handle: 'karl.two.test' }, { host: 'two.test' })
    const params = { aud: 'did:web:one.test', lxm: `${server}.createAccount` }
    const options = { token: accessJwt, host: 'two.test' }
    const { body } = await api.get(`${server}.getServiceAuth`, params, options)
    const input = { did, handle: 'karl.one.test', email: 'karl1@mail.test', password: 'karl-pass' }
    const move = () => api.post(`${server}.createAccount`, input, { token: body.token })
    {
      await using _outage = await api.plc.outage()
      await api.pods[0]!.deps.identities.forget({ did })
      expect(await move()).toMatchObject(away)
    }
    expect((await move()).status).toBe(200)
  })
})
