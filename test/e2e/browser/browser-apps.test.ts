import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'

import type { AppAnswer, BrowserApp } from '../../support/browser/browser-app.ts'
import { resident } from '../../support/browser/people.ts'
import { authorize, enterPassword, expectNoApps } from '../../support/browser/sign-in.ts'
import { Visitor, appUrl, hosts } from '../../support/browser/visitor.ts'

type AppPage = { app: BrowserApp }

describe.each(hosts)('$tenant', (host) => {
  // SPEC OA-15
  test('an app in the browser signs somebody in, is there after a reload, gets new tokens and signs out', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const { did, ...person } = await resident(host)
    await page.goto(`${appUrl}/app`)
    expect(await signedIn(page)).toBeUndefined()
    await page.evaluate(
      (url) => (globalThis as unknown as AppPage).app.signIn(url, 'atproto transition:generic'),
      host.url,
    )
    await enterPassword(visitor, person)
    await page.getByRole('button', { name: /^Sign in as/ }).click()
    await authorize(visitor)
    await page.waitForURL(`${appUrl}/app#**`)
    expect(await signedIn(page)).toBe(did)
    expect(await post(page, did)).toMatchObject({ status: 200 })

    await page.goto(`${appUrl}/app`)
    expect(await signedIn(page)).toBe(did)
    const before = await expiry(page, false)
    expect(Date.parse(await expiry(page, true))).toBeGreaterThan(Date.parse(before))
    expect(await post(page, did)).toMatchObject({ status: 200 })
    await page.evaluate(() => (globalThis as unknown as AppPage).app.signOut())
    await page.reload()
    expect(await signedIn(page)).toBeUndefined()
    await expectNoApps(visitor)
    expect(visitor.pods.size).toBe(2)
  })
})

function signedIn(page: Page): Promise<string | undefined> {
  return page.evaluate(() => (globalThis as unknown as AppPage).app.did())
}

/** When the app's token expires; the one that it has or a new one. */
function expiry(page: Page, isNew: boolean): Promise<string> {
  return page.evaluate((isNew) => (globalThis as unknown as AppPage).app.expiry(isNew), isNew)
}

function post(page: Page, repo: string): Promise<AppAnswer> {
  const record = { $type: 'app.bsky.feed.post', text: 'from a browser', createdAt: new Date().toISOString() }
  const body = JSON.stringify({ repo, collection: 'app.bsky.feed.post', record })
  return page.evaluate(
    (body) => (globalThis as unknown as AppPage).app.post('/xrpc/com.atproto.repo.createRecord', body),
    body,
  )
}
