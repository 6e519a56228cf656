import { generatePrivateKey, issueServiceToken, keySigner } from '@rookery/identity'
import { updateTenant } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type CallOptions, TestApi } from './test-api.ts'

let api: TestApi
const admin = { admin: true }
const senderDid = 'did:web:moderator.test'

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('com.atproto.admin.sendEmail', () => {
  const send = (recipientDid: string, change: object = {}, options: CallOptions = admin) =>
    api.post('com.atproto.admin.sendEmail', { recipientDid, content: 'Hello', senderDid, ...change }, options)

  test('mails an account what the operator wrote, harmless HTML as it is', async () => {
    const { did } = await api.signUp('written')
    const message = {
      subject: 'About\r\nyou',
      content: '<p>Be <b>kind</b><script>x</script></p>',
      comment: 'c',
    }
    expect(await send(did, message)).toMatchObject({ status: 200, body: { sent: true } })
    const [mail] = await api.mails('written@mail.test')
    expect(mail).toMatchObject({ subject: 'About you', text: expect.stringContaining('Be kind') as string })
    expect(mail?.html).toContain('<p>Be <b>kind</b></p>')
    expect((await api.get('net.rookery.mail.listDeliveries', {}, admin)).body.deliveries).toMatchObject([
      { did, template: 'message', recipient: 'written@mail.test', senderDid, state: 'sent' },
    ])
  })

  test('is open to the moderation service of the account’s tenant, and to no other account', async () => {
    const { plc, directory } = api.pods[0]!.deps
    const key = keySigner(generatePrivateKey())
    const handle = 'mod.example'
    const minted = await plc.mint({ handle, signingKey: key.didKey, pdsUrl: 'https://mod.example' })
    await minted.register()
    const moderation = { did: minted.did, url: 'https://mod.example' }
    await updateTenant(api.db.database.kysely, 'one', { settings: { moderation } })
    await directory.refresh()
    const { did } = await api.signUp('judged')
    const guest = await api.signUp('ottilie', { handle: 'ottilie.two.test' }, { host: 'two.test' })
    const method = 'com.atproto.admin.sendEmail'
    const token = (host: string): CallOptions => ({
      host,
      token: issueServiceToken(key, { issuer: minted.did, audience: `did:web:${host}`, method }),
    })
    expect((await send(did, {}, token('one.test'))).status).toBe(200)
    expect((await send(guest.did, {}, token('two.test'))).status).toBe(400)
    expect((await send(guest.did, {}, token('one.test'))).status).toBe(400)
    expect(await api.mails('judged@mail.test')).toMatchObject([{ subject: 'A message about your account' }])
    expect(await api.mails('ottilie@mail.test')).toEqual([])
  })

  test('refuses accounts that are not here, have no address, and messages that say nothing', async () => {
    const { did } = await api.signUp('silent')
    expect(await send('did:plc:nobody')).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
    expect(await send(did, { content: ' ' })).toMatchObject({
      status: 400,
      body: { error: 'InvalidRequest' },
    })
    await api.db.pool.query('update account set email = null where did = $1', [did])
    const refused = await send(did)
    expect(refused).toMatchObject({
      status: 400,
      body: { message: 'Account does not have an email address' },
    })
    expect((await send(did, {}, {})).status).toBe(401)
  })
})

describe('bounces and deliveries', () => {
  const bounce = (input: object, options: CallOptions = admin) =>
    api.post('net.rookery.mail.recordBounce', input, options)
  const list = async (params: Record<string, string>, options: CallOptions = admin) =>
    (await api.get('net.rookery.mail.listDeliveries', params, options)).body.deliveries

  test('a hard bounce suppresses the address; its host and tenant alone learn of it', async () => {
    const owner = await api.signUp('bouncing')
    const ask = () =>
      api.post('com.atproto.server.requestEmailConfirmation', undefined, { token: owner.accessJwt })
    await ask()
    await api.mailedToken('bouncing@mail.test')
    const recipient = 'Bouncing@mail.test'
    const [sent] = await list({ recipient })
    const told = { recipient, kind: 'hard', messageId: `<${sent.messageId}>`, detail: 'no such mailbox' }
    const forClub = { admin: true, headers: { 'rookery-tenant': 'club' } }
    for (const options of [{ ...admin, host: 'two.test' }, forClub]) {
      expect(await bounce(told, options)).toMatchObject({ status: 400, body: { error: 'DeliveryNotFound' } })
      expect(await list({ recipient }, options)).toEqual([])
    }
    expect((await bounce(told, { token: owner.accessJwt })).status).toBe(401)
    expect((await bounce({ ...told, kind: 'other' })).status).toBe(400)
    expect(await bounce(told)).toMatchObject({ status: 200, body: { suppressed: true } })
    await ask()
    expect(await api.mails('bouncing@mail.test')).toHaveLength(1)
    expect(await list({ recipient })).toMatchObject([
      { did: owner.did, state: 'suppressed' },
      { did: owner.did, state: 'bounced', error: 'no such mailbox' },
    ])
  })

  test('deliveries are listed in pages, newest first, and by state', async () => {
    const first = await api.get('net.rookery.mail.listDeliveries', { limit: '2' }, admin)
    const { cursor, deliveries } = first.body
    expect(deliveries).toHaveLength(2)
    const next = await list({ limit: '1', cursor })
    expect(Number(next[0].id)).toBeLessThan(Number(deliveries[1].id))
    expect((await list({ state: 'bounced' })).map(({ state }: { state: string }) => state)).toEqual([
      'bounced',
    ])
    expect((await api.get('net.rookery.mail.listDeliveries', { cursor: 'x' }, admin)).status).toBe(400)
    expect((await api.get('net.rookery.mail.listDeliveries')).status).toBe(401)
  })
})
