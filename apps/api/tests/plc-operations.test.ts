import { randomBytes } from 'node:crypto'

import { keySigner } from '@rookery/identity'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, TestApi } from './test-api.ts'

type Owner = { did: string; handle: string; accessJwt: string }

const identity = 'com.atproto.identity'
const born = ['identity', 'account', 'commit']
const strangersKey = keySigner(randomBytes(32)).didKey
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const call = (owner: Owner, method: string, input?: object): Promise<Answer> =>
  api.post(`${identity}.${method}`, input, { token: owner.accessJwt })

async function dataOf({ did }: Owner): Promise<any> {
  return (await fetch(`${api.plc.url}/${did}/data`)).json()
}

// SPEC IDN-11
describe('submitPlcOperation refuses an operation with', () => {
  let owner: Owner
  beforeAll(async () => {
    owner = await api.signUp('keeper')
  })
  const pds = (change: object) => ({
    services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://one.test', ...change } },
  })

  test.each([
    [
      'rotation keys without ours',
      { rotationKeys: [strangersKey] },
      "Rotation keys do not include server's rotation key",
    ],
    ['another signing key', { verificationMethods: { atproto: strangersKey } }, 'Incorrect signing key'],
    ['another handle', { alsoKnownAs: ['at://other.one.test'] }, 'Incorrect handle in alsoKnownAs'],
    ['another PDS', pds({ endpoint: 'https://two.test' }), 'Incorrect endpoint on atproto_pds service'],
    ['another kind of PDS', pds({ type: 'Other' }), 'Incorrect type on atproto_pds service'],
  ])('%s', async (_name, change, message) => {
    const before = await dataOf(owner)
    const operation = await api.pods[0]!.deps.plc.signOperation(owner.did, change)
    expect(await call(owner, 'submitPlcOperation', { operation })).toMatchObject({
      status: 400,
      body: { error: 'InvalidRequest', message },
    })
    expect(await dataOf(owner)).toEqual(before)
    expect(await api.events(owner.did)).toEqual(born)
  })
})

// SPEC IDN-10
describe('signPlcOperation', () => {
  test('wants the token that was mailed for it, and uses it once', async () => {
    const owner: Owner = await api.signUp('signer')
    const ours = api.pods[0]!.deps.plc.rotationDidKey
    const rotationKeys = [strangersKey, ours]
    expect(await call(owner, 'signPlcOperation', { rotationKeys })).toMatchObject({
      status: 400,
      body: {
        error: 'InvalidRequest',
        message: 'email confirmation token required to sign PLC operations',
      },
    })
    expect((await call(owner, 'requestPlcOperationSignature')).status).toBe(200)
    const token = await api.mailedToken('signer@mail.test')
    const wrong = await call(owner, 'signPlcOperation', { token: '123456', rotationKeys })
    expect(wrong).toMatchObject({ status: 400, body: { error: 'InvalidToken' } })
    const malformed = await call(owner, 'signPlcOperation', { token, rotationKeys: [1] })
    expect(malformed).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })

    const { alsoKnownAs, verificationMethods, services } = await dataOf(owner)
    const signed = await call(owner, 'signPlcOperation', { token, rotationKeys })
    const { operation } = signed.body
    expect(operation).toMatchObject({ alsoKnownAs, verificationMethods, services, rotationKeys })
    const again = await call(owner, 'signPlcOperation', { token, rotationKeys })
    expect(again.body.error).toBe('InvalidToken')
    expect((await dataOf(owner)).rotationKeys).toEqual([ours])

    expect((await call(owner, 'submitPlcOperation', { operation })).status).toBe(200)
    expect((await dataOf(owner)).rotationKeys).toEqual(rotationKeys)
    expect(await api.events(owner.did)).toEqual([...born, 'identity'])
  })
})
