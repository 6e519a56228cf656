import { generatePrivateKey, issueServiceToken, keySigner } from '@rookery/identity'
import { updateTenant } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, type CallOptions, TestApi } from './test-api.ts'

const update = 'com.atproto.admin.updateSubjectStatus'
const collection = 'app.bsky.feed.post'
const admin = { admin: true }
const takedown = { applied: true, ref: 'case-7' }
let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

type Owner = { did: string; accessJwt: string }

const setStatus = (subject: object, change: object, options: CallOptions = admin): Promise<Answer> =>
  api.post(update, { subject, ...change }, options)
const getStatus = (params: Record<string, string>, options: CallOptions = admin): Promise<Answer> =>
  api.get('com.atproto.admin.getSubjectStatus', params, options)

async function write(owner: Owner, record: object, rkey?: string): Promise<Answer> {
  const full = { $type: collection, text: 'hello', createdAt: '2026-01-01T00:00:00.000Z', ...record }
  const input = { repo: owner.did, collection, record: full, validate: false, ...(rkey && { rkey }) }
  const method = rkey === undefined ? 'createRecord' : 'putRecord'
  return api.post(`com.atproto.repo.${method}`, input, { token: owner.accessJwt })
}

function upload(owner: Owner, bytes: string): Promise<Answer> {
  const headers = { 'content-type': 'text/plain' }
  const request = { method: 'POST' as const, url: '/xrpc/com.atproto.repo.uploadBlob', payload: bytes }
  return api.request({ ...request, headers }, { token: owner.accessJwt, headers })
}

// SPEC LAB-3, LAB-5, EP-2
describe('takedown of a record', () => {
  test('hides it from what reads records and leaves it in the repo, until it is lifted', async () => {
    const owner = await api.signUp('author')
    const { uri, cid } = (await write(owner, {})).body
    const other = (await write(owner, { text: 'stays' })).body
    const rkey = uri.split('/').at(-1)
    const subject = { $type: 'com.atproto.repo.strongRef', uri, cid }
    const read = () => api.get('com.atproto.repo.getRecord', { repo: owner.did, collection, rkey })
    const listed = async () => {
      const { body } = await api.get('com.atproto.repo.listRecords', { repo: owner.did, collection })
      return body.records.map((record: { uri: string }) => record.uri)
    }
    expect(await setStatus(subject, { takedown })).toMatchObject({ status: 200, body: { subject, takedown } })
    expect((await getStatus({ uri })).body).toEqual({ subject, takedown })
    expect((await read()).body.error).toBe('RecordNotFound')
    expect(await listed()).toEqual([other.uri])
    const proof = await api.get('com.atproto.sync.getRecord', { did: owner.did, collection, rkey })
    expect(proof.status).toBe(200)
    // Writing it again does not bring it back.
    expect((await write(owner, { text: 'hello again' }, rkey)).status).toBe(200)
    expect((await read()).body.error).toBe('RecordNotFound')
    await setStatus(subject, { takedown: { applied: false } })
    expect((await getStatus({ uri })).body.takedown).toEqual({ applied: false })
    expect((await read()).body.value.text).toBe('hello again')
    expect(await listed()).toEqual(expect.arrayContaining([uri, other.uri]))
  })

  test('wants a record that is there, and takes nothing else of it', async () => {
    const owner = await api.signUp('absent')
    const subject = { $type: 'com.atproto.repo.strongRef', cid: (await write(owner, {})).body.cid }
    const missing = { ...subject, uri: `at://${owner.did}/${collection}/3kaaaaaaaaa2a` }
    expect((await setStatus(missing, { takedown })).body.error).toBe('NotFound')
    expect((await getStatus({ uri: missing.uri })).body.error).toBe('NotFound')
    expect((await setStatus({ ...subject, uri: `at://${owner.did}` }, { takedown })).status).toBe(400)
    expect((await setStatus(missing, { deactivated: { applied: true } })).status).toBe(400)
    expect((await getStatus({})).body.message).toBe('No provided subject')
  })
})

// SPEC LAB-3, LAB-6
describe('takedown of a blob', () => {
  test('keeps it from being served, listed, referred to and uploaded, until it is lifted', async () => {
    const owner = await api.signUp('painter')
    const { blob } = (await upload(owner, 'a picture')).body
    const cid = blob.ref.$link
    const { uri } = (await write(owner, { embed: blob })).body
    const subject = { $type: 'com.atproto.admin.defs#repoBlobRef', did: owner.did, cid }
    const served = () => api.get('com.atproto.sync.getBlob', { did: owner.did, cid })
    const listed = async () => (await api.get('com.atproto.sync.listBlobs', { did: owner.did })).body.cids
    expect((await served()).body).toBe('a picture')
    expect((await setStatus(subject, { takedown })).status).toBe(200)
    expect((await getStatus({ did: owner.did, blob: cid })).body).toEqual({ subject, takedown })
    expect((await served()).body.error).toBe('BlobNotFound')
    expect(await listed()).toEqual([])
    const refused = await write(owner, { embed: blob, text: 'again' })
    expect(refused.body).toMatchObject({ error: 'BlobNotFound', message: `Could not find blob: ${cid}` })
    expect((await upload(owner, 'a picture')).body.message).toBe('Blob has been takendown, cannot re-upload')
    const record = await api.get('com.atproto.repo.getRecord', {
      repo: owner.did,
      collection,
      rkey: uri.split('/').at(-1),
    })
    expect(record.status).toBe(200)
    const neighbour = await api.signUp('copyist')
    expect((await upload(neighbour, 'a picture')).status).toBe(200)
    await setStatus(subject, { takedown: { applied: false } })
    expect((await served()).body).toBe('a picture')
    expect(await listed()).toEqual([cid])
    expect((await write(owner, { embed: blob, text: 'again' })).status).toBe(200)
  })

  test('wants its account and a blob that is there', async () => {
    const owner = await api.signUp('empty')
    const cid = 'bafkreibjfgx2gprinfvicegelk5kosd6y2frmqpqzwqkg7usac74l3t2v4'
    expect((await getStatus({ blob: cid })).body.message).toBe('Must provide a did to request blob state')
    expect((await getStatus({ did: owner.did, blob: cid })).body.error).toBe('BlobNotFound')
    const subject = { $type: 'com.atproto.admin.defs#repoBlobRef', did: owner.did, cid }
    expect((await setStatus(subject, { takedown })).body.error).toBe('BlobNotFound')
  })
})

// SPEC LAB-3, LAB-4, AU-6
describe('takedown of an account', () => {
  test('closes its repo and blobs to everybody but itself and the operator', async () => {
    const owner = await api.signUp('closed')
    const other = await api.signUp('onlooker')
    const { blob } = (await upload(owner, 'only mine')).body
    await write(owner, { embed: blob })
    const app = await api.post(
      'com.atproto.server.createAppPassword',
      { name: 'app' },
      { token: owner.accessJwt },
    )
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: owner.did }
    await setStatus(subject, { takedown })
    const reads: [string, Record<string, string>][] = [
      ['getBlob', { did: owner.did, cid: blob.ref.$link }],
      ['getRepo', { did: owner.did }],
      ['listBlobs', { did: owner.did }],
      ['getLatestCommit', { did: owner.did }],
    ]
    const signIn = { identifier: owner.did, password: 'closed-pass', allowTakendown: true }
    const { accessJwt: limited } = (await api.post('com.atproto.server.createSession', signIn)).body
    for (const [method, params] of reads) {
      const ask = async (options: CallOptions) =>
        (await api.get(`com.atproto.sync.${method}`, params, options)).status
      for (const options of [{}, { token: other.accessJwt }]) {
        const answer = await api.get(`com.atproto.sync.${method}`, params, options)
        expect(answer.body.error, method).toBe('RepoTakendown')
      }
      // The session from before still reads its own, as the limited one that replaces it.
      expect([
        await ask({ token: owner.accessJwt }),
        await ask({ token: limited }),
        await ask(admin),
      ]).toEqual([200, 200, 200])
    }
    const viaApp = { ...signIn, password: app.body.password }
    expect((await api.post('com.atproto.server.createSession', viaApp)).body.error).toBe('AccountTakedown')
    expect((await write(owner, {})).body.error).toBe('AccountTakedown')
    expect((await api.get('com.atproto.identity.resolveHandle', { handle: 'closed.one.test' })).status).toBe(
      400,
    )
    await setStatus(subject, { takedown: { applied: false } })
    expect((await write(owner, {})).status).toBe(200)
    expect((await api.post('com.atproto.server.createSession', viaApp)).status).toBe(200)
  })
})

describe('a tenant’s moderation service', () => {
  const key = keySigner(generatePrivateKey())
  const labelKey = keySigner(generatePrivateKey())
  let service: string
  let subject: { $type: string; did: string }

  beforeAll(async () => {
    const [pod] = api.pods
    const { plc, directory } = pod!.deps
    const minted = await plc.mint({
      handle: 'mod.example',
      signingKey: key.didKey,
      pdsUrl: 'https://mod.example',
    })
    await minted.register()
    service = minted.did
    const verificationMethods = { atproto: key.didKey, atproto_label: labelKey.didKey }
    await plc.submit(service, await plc.signOperation(service, { verificationMethods }))
    await updateTenant(api.db.database.kysely, 'one', {
      settings: { moderation: { did: service, url: 'https://mod.example' } },
    })
    await directory.refresh()
    subject = { $type: 'com.atproto.admin.defs#repoRef', did: (await api.signUp('moderated')).did }
  })

  const tokenFor = (
    method: string,
    change: { issuer?: string; audience?: string } = {},
    signer = key,
  ): CallOptions => ({
    token: issueServiceToken(signer, { issuer: service, audience: 'did:web:one.test', method, ...change }),
  })
  const read = 'com.atproto.admin.getSubjectStatus'

  test('takes down and looks at accounts, as itself or as a labeler', async () => {
    expect((await setStatus(subject, { takedown }, tokenFor(update))).status).toBe(200)
    expect((await getStatus({ did: subject.did }, tokenFor(read))).body.takedown).toEqual(takedown)
    const labeler = tokenFor(update, { issuer: `${service}#atproto_labeler` }, labelKey)
    expect((await setStatus(subject, { takedown: { applied: false } }, labeler)).status).toBe(200)
    const wrongKey = tokenFor(update, { issuer: `${service}#atproto_labeler` })
    expect((await setStatus(subject, { takedown }, wrongKey)).body.error).toBe('BadJwtSignature')
  })

  test('is refused with the token of another, for another host or method, or used before', async () => {
    const refusals: [string, CallOptions][] = [
      ['UntrustedIss', tokenFor(update, { issuer: subject.did })],
      ['UntrustedIss', tokenFor(update, { issuer: `${service}#other` })],
      ['BadJwtSignature', tokenFor(update, {}, labelKey)],
      ['BadJwtAudience', tokenFor(update, { audience: 'did:web:two.test' })],
      ['BadJwtLexiconMethod', tokenFor(read)],
    ]
    for (const [error, options] of refusals) {
      expect(await setStatus(subject, { takedown }, options)).toMatchObject({ status: 401, body: { error } })
    }
    const once = tokenFor(read)
    expect((await getStatus({ did: subject.did }, once)).status).toBe(200)
    expect((await getStatus({ did: subject.did }, once)).body.error).toBe('BadJwt')
  })

  test('reaches the accounts of the tenants that chose it, and of no other', async () => {
    const club = { useCount: 1 }
    const forClub = { admin: true, headers: { 'rookery-tenant': 'club' } }
    const { code } = (await api.post('com.atproto.server.createInviteCode', club, forClub)).body
    const member = await api.signUp('menno', { handle: 'menno.club.test', inviteCode: code })
    expect((await getStatus({ did: member.did }, tokenFor(read))).body.error).toBe('NotFound')
    const ofMember = { ...subject, did: member.did }
    expect((await setStatus(ofMember, { takedown }, tokenFor(update))).body.error).toBe('NotFound')
    const search = 'com.atproto.admin.searchAccounts'
    const found = async (options: CallOptions) =>
      (await api.get(search, { email: 'menn' }, options)).body.accounts.map(({ did }: { did: string }) => did)
    expect(await found(tokenFor(search))).toEqual([])
    expect(await found(admin)).toEqual([member.did])
    expect(await found(forClub)).toEqual([member.did])
  })

  test('may not do what is the operator’s alone', async () => {
    for (const method of [
      'deleteAccount',
      'updateAccountPassword',
      'updateAccountEmail',
      'updateAccountHandle',
    ]) {
      const nsid = `com.atproto.admin.${method}`
      expect((await api.post(nsid, { did: subject.did }, tokenFor(nsid))).status).toBe(401)
    }
  })
})
