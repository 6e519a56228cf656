import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'

import { NodeApp } from '../../support/browser/node-app.ts'
import { resident } from '../../support/browser/people.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

describe.each(hosts)('$tenant', (host) => {
  test('the keyboard alone signs in to an app', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    const app = new NodeApp(host, 'atproto account:email repo:app.bsky.feed.post')
    await app.begin(page, host.url)
    await typeInto(page, 'Handle or e-mail address', person.handle)
    await page.keyboard.press('Tab')
    await typeInto(page, 'Password', person.password)
    await pressButton(page, 'Sign in')
    await page.waitForURL('**/oauth/authorize?**')
    await pressButton(page, `Sign in as @${person.handle}`)
    await pressButton(page, 'Authorize')
    expect((await app.session(page)).did).toBe(person.did)
    expect(visitor.pods.size).toBe(2)
  })
})

/** Types into the field that has the focus, which must be this one. */
async function typeInto(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label).and(page.locator(':focus')).waitFor()
  await page.keyboard.type(text)
}

/** Goes from one thing to the next until the button has the focus, which must show, and presses it. */
async function pressButton(page: Page, name: string): Promise<void> {
  const button = page.getByRole('button', { name, exact: true })
  await button.waitFor()
  await expect
    .poll(async () => {
      await page.keyboard.press('Tab')
      return (await button.and(page.locator(':focus-visible')).count()) === 1
    })
    .toBe(true)
  await page.keyboard.press('Enter')
}
