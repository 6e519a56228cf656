import { issueServiceToken } from '@rookery/identity'
import { must } from '@rookery/std'
import { updateTenant } from '@rookery/tenants'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Caller, accessOf, callers } from './access-cases.ts'
import { type Victim, attempts } from './isolation-cases.ts'
import { type Answer, TestApi } from './test-api.ts'

type Session = { did: string; handle: string; accessJwt: string; refreshJwt: string }

let api: TestApi
/** Whom methods are aimed at. */
let subject: Victim
const sessions = new Map<Caller, Session>()

beforeAll(async () => {
  api = await TestApi.start()
  const account: Session = await api.signUp('subject')
  subject = await withRepo(account)
  for (const caller of callers) {
    if (caller === 'nobody' || caller === 'operator') continue
    const host = caller === 'otherHost' || caller === 'moderation' ? 'two.test' : 'one.test'
    const handle = `caller${callers.indexOf(caller)}.${host}`
    sessions.set(caller, await api.signUp(caller, { handle }, { host }))
  }
  for (const caller of ['appPassword', 'privilegedAppPassword'] as const) {
    const { handle, accessJwt: token } = sessionOf(caller)
    const input = { name: 'app', privileged: caller === 'privilegedAppPassword' }
    const { body } = await api.post('com.atproto.server.createAppPassword', input, { token })
    sessions.set(caller, await signIn({ identifier: handle, password: body.password }))
  }
  await barCallers()
})
afterAll(() => api[Symbol.asyncDispose]())

async function withRepo({ did, handle, accessJwt: token, refreshJwt }: Session): Promise<Victim> {
  const upload = await api.request(
    { method: 'POST', url: '/xrpc/com.atproto.repo.uploadBlob', payload: Buffer.from('GIF89a') },
    { token, headers: { 'content-type': 'image/gif' } },
  )
  const record = { $type: 'app.bsky.feed.post', text: 'words', blob: upload.body.blob }
  const { body } = await api.post(
    'com.atproto.repo.createRecord',
    { repo: did, collection: 'app.bsky.feed.post', record, validate: false },
    { token },
  )
  return {
    did,
    handle,
    email: 'subject@mail.test',
    password: 'subject-pass',
    accessJwt: token,
    refreshJwt,
    recordCid: body.cid,
    commitCid: body.commit.cid,
    blobCid: upload.body.blob.ref.$link,
    rkey: body.uri.split('/').at(-1),
    accountId: 0,
  }
}

async function signIn(input: object): Promise<Session> {
  const answer = await api.post('com.atproto.server.createSession', input)
  expect(answer.status).toBe(200)
  return answer.body
}

async function barCallers(): Promise<void> {
  for (const caller of ['takendown', 'limitedSession'] as const) {
    const subject = { $type: 'com.atproto.admin.defs#repoRef', did: sessionOf(caller).did }
    const takedown = { applied: true, ref: 'x' }
    await api.post('com.atproto.admin.updateSubjectStatus', { subject, takedown }, { admin: true })
  }
  const identifier = sessionOf('limitedSession').handle
  const input = { identifier, password: 'limitedSession-pass', allowTakendown: true }
  sessions.set('limitedSession', await signIn(input))
  const { accessJwt: token } = sessionOf('deactivated')
  await api.post('com.atproto.server.deactivateAccount', {}, { token })
  const moderation = { did: sessionOf('moderation').did, url: 'https://moderation.test' }
  await updateTenant(api.db.database.kysely, 'one', { settings: { moderation } })
  await api.pods[0]!.deps.directory.refresh()
}

function sessionOf(caller: Caller): Session {
  return must(sessions.get(caller))
}

async function credentialsOf(caller: Caller, method: string): Promise<{ token?: string; admin?: boolean }> {
  if (caller === 'nobody') return {}
  if (caller === 'operator') return { admin: true }
  const { did, accessJwt, refreshJwt } = sessionOf(caller)
  if (caller === 'refreshToken') return { token: refreshJwt }
  if (caller !== 'service' && caller !== 'moderation') return { token: accessJwt }
  const { rows } = await api.db.pool.query<{ id: number }>('select id from account where did = $1', [did])
  const signer = await api.pods[0]!.deps.signingKeys.signerFor({ id: must(rows[0]).id, did })
  const expiresAtMs = Date.now() + 60_000
  return {
    token: issueServiceToken(signer, { issuer: did, audience: 'did:web:one.test', method, expiresAtMs }),
  }
}

/** What callers are told who have been let in. */
const unusable =
  /^(A request body was provided when none|Request encoding \(Content-Type\) required|No service configured)/

/**
 * Calls a method so that nothing comes of it: procedures get a body that is refused, which is looked at once the caller
 * has been checked. Where the caller is checked with the write, it writes a record of its own.
 */
async function call(route: string, caller: Caller): Promise<Answer> {
  const { params, access, nsid = route } = attempts[route]!(subject)
  const credentials = await credentialsOf(caller, nsid)
  const url = `/xrpc/${nsid}`
  if (api.pods[0]!.deps.lexicons.methodOf(nsid)?.type === 'query') {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(params ?? {})) {
      for (const one of [value].flat()) query.append(name, one)
    }
    return api.request({ method: 'GET', url: `${url}?${query.toString()}` }, credentials)
  }
  if (access !== 'writer') {
    return api.request({ method: 'POST', url, payload: Buffer.from('unusable') }, credentials)
  }
  const did = sessions.get(caller)?.did ?? subject.did
  return api.post(nsid, attempts[route]!({ ...subject, did }).input as object, credentials)
}

function endingOf({ status, body }: Answer): string {
  const isLetIn = status === 400 && (unusable.test(body.message) || body.error === 'LexiconNotFound')
  return (status >= 200 && status < 300) || isLetIn ? 'ok' : body.error
}

describe.each(Object.keys(attempts))('%s', (nsid) => {
  // SPEC AU-4, AU-5, AU-6, AU-10
  test('answers each kind of caller as its row says', async () => {
    const endings: Record<string, string> = {}
    for (const caller of callers) endings[caller] = endingOf(await call(nsid, caller))
    expect(endings).toEqual(accessOf[attempts[nsid]!(subject).access])
  })
})
