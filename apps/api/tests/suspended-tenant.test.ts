import { updateTenant } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

let api: TestApi
let zoe: { did: string; accessJwt: string; refreshJwt: string }

beforeAll(async () => {
  api = await TestApi.start()
  zoe = await api.signUp('zoe')
  await setStatus('suspended')
})
afterAll(() => api[Symbol.asyncDispose]())

async function setStatus(status: 'active' | 'suspended'): Promise<void> {
  await updateTenant(api.db.database.kysely, 'one', { status })
  for (const { deps } of api.pods) await deps.directory.refresh()
}

const refused = { status: 403, body: { error: 'TenantSuspended' } }
const login = { identifier: 'zoe.one.test', password: 'zoe-pass' }

describe('while a tenant is suspended', () => {
  test('nobody signs up', async () => {
    const input = { handle: 'yan.one.test', email: 'yan@mail.test', password: 'yan-pass' }
    expect(await api.post('com.atproto.server.createAccount', input)).toMatchObject(refused)
  })

  test('nobody signs in, and no session goes on', async () => {
    expect(await api.post('com.atproto.server.createSession', login)).toMatchObject(refused)
    const refresh = { token: zoe.refreshJwt }
    expect(await api.post('com.atproto.server.refreshSession', undefined, refresh)).toMatchObject(refused)
    const check = await api.get('com.atproto.server.checkAccountStatus', {}, { token: zoe.accessJwt })
    expect(check).toMatchObject(refused)
  })

  test('a wrong password is answered as ever', async () => {
    const wrong = { ...login, password: 'wrong-pass' }
    expect(await api.post('com.atproto.server.createSession', wrong)).toMatchObject({ status: 401 })
  })

  test('who asks for the little that is left gets it: enough to leave', async () => {
    const answer = await api.post('com.atproto.server.createSession', { ...login, allowTakendown: true })
    expect(answer.status).toBe(200)
    const { accessJwt: token } = answer.body
    expect(
      (await api.get('com.atproto.server.getServiceAuth', { aud: 'did:web:a.test' }, { token })).status,
    ).toBe(200)
    expect(await api.get('com.atproto.server.checkAccountStatus', {}, { token })).toMatchObject(refused)
  })

  test('data and events stay as they were', async () => {
    expect(await api.events(zoe.did)).toEqual(['identity', 'account', 'commit'])
    expect((await api.get('com.atproto.identity.resolveHandle', { handle: 'zoe.one.test' })).status).toBe(200)
  })

  test('another tenant of the host is not touched', async () => {
    await updateTenant(api.db.database.kysely, 'club', { settings: { inviteRequired: false } })
    for (const { deps } of api.pods) await deps.directory.refresh()
    const una = await api.signUp('una', { handle: 'una.club.test' })
    expect(una.handle).toBe('una.club.test')
  })

  test('a resumed tenant goes on with the same sessions', async () => {
    await setStatus('active')
    const session = await api.get('com.atproto.server.checkAccountStatus', {}, { token: zoe.accessJwt })
    expect(session.status).toBe(200)
  })
})
