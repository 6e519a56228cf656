import type { OAuthSession } from '@atproto/oauth-client-node'
import { describe, expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { NodeApp } from '../../support/browser/node-app.ts'
import { resident } from '../../support/browser/people.ts'
import { authorize, enterPassword, expectNoApps } from '../../support/browser/sign-in.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

const scope = 'atproto account:email?action=manage repo:app.bsky.feed.post'

describe.each(hosts)('$tenant', (host) => {
  // SPEC OA-1, OA-28
  test('an app on a server signs somebody in, writes, gets new tokens and signs out', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    const app = new NodeApp(host, scope)
    await app.begin(page, person.handle)
    await expectAccessible(visitor, page.getByRole('heading', { name: 'Sign in' }))
    await enterPassword(visitor, person)
    await expectAccessible(visitor, page.getByRole('button', { name: 'Authorize' }))
    await authorize(visitor)
    const session = await app.session(page)
    expect(session.did).toBe(person.did)

    const tokens = await session.getTokenInfo(false)
    expect(await post(session)).toBe(200)
    expect(await askForMail(session)).toBe(200)
    const { expiresAt } = await session.getTokenInfo(true)
    expect(expiresAt!.getTime()).toBeGreaterThan(tokens.expiresAt!.getTime())
    expect(await post(session)).toBe(200)
    await session.signOut()
    await expectNoApps(visitor)
    expect(visitor.pods.size).toBe(2)
    expect(app.pods.size).toBe(2)
  })

  // SPEC OA-28
  test('an app may do what was ticked and nothing else, until its owner revokes it on the account pages', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    const app = new NodeApp(host, scope)
    await app.begin(page, person.handle)
    await enterPassword(visitor, person)
    await page.getByRole('checkbox', { name: 'Email' }).uncheck()
    await authorize(visitor)
    const session = await app.session(page)
    expect(await post(session)).toBe(200)
    expect(await askForMail(session)).toBe(403)

    await visitor.open('/account')
    await expectAccessible(visitor, page.getByRole('heading', { name: 'Home' }))
    await page.getByRole('link', { name: 'Apps', exact: true }).click()
    await page.getByRole('button', { name: 'Details' }).click()
    await expectAccessible(visitor, page.getByRole('button', { name: /revoke/i }))
    await page.getByRole('button', { name: /revoke/i }).click()
    await expect.poll(() => post(session).catch(() => 401)).toBe(401)
    await expect(app.restore(person.did)).rejects.toThrow('The session was deleted')
    expect(visitor.pods.size).toBe(2)
  })
})

/** How a post of the app is answered. */
async function post(session: OAuthSession): Promise<number> {
  const record = { $type: 'app.bsky.feed.post', text: 'from an app', createdAt: new Date().toISOString() }
  const input = { repo: session.did, collection: 'app.bsky.feed.post', record }
  return call(session, 'com.atproto.repo.createRecord', input)
}

/** How the app is answered who wants the address confirmed. */
function askForMail(session: OAuthSession): Promise<number> {
  return call(session, 'com.atproto.server.requestEmailConfirmation')
}

async function call(session: OAuthSession, method: string, input?: object): Promise<number> {
  const headers = input === undefined ? {} : { 'content-type': 'application/json' }
  const body = input === undefined ? null : JSON.stringify(input)
  return (await session.fetchHandler(`/xrpc/${method}`, { method: 'POST', headers, body })).status
}
