import { join } from 'node:path'

import { AtpAgent } from '@atproto/api'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'

import { NodeApp } from '../../support/browser/node-app.ts'
import { enterPassword, signInToSecurity } from '../../support/browser/sign-in.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

/** Makes the pictures of docs/images, when they are asked for: see CONTRIBUTING.md. */
test('pictures of the pages', async () => {
  const host = hosts[0]!
  const person = { handle: 'alice.test', email: 'alice@example.org', password: 'correct horse battery' }
  await new AtpAgent({ service: host.url }).createAccount(person)
  await using visitor = await Visitor.at(host)
  const { page } = visitor
  await visitor.open('/sign-in')
  await take(page, 'sign-in')
  await signInToSecurity(visitor, person)
  await take(page, 'security', { colorScheme: 'dark' })
  await visitor.open('/account')
  await page.getByRole('heading', { name: 'Home' }).waitFor()
  await take(page, 'account-manager')
  await page.context().clearCookies()
  const app = new NodeApp(host, 'atproto account:email repo:app.bsky.feed.post')
  await app.begin(page, person.handle)
  await enterPassword(visitor, person)
  await page.getByRole('button', { name: 'Authorize' }).waitFor()
  await take(page, 'consent', { width: 390, height: 780 })
  expect(visitor.pods.size).toBe(2)
})

/** Writes a picture of what is shown. */
async function take(
  page: Page,
  name: string,
  look: { colorScheme?: 'light' | 'dark'; width?: number; height?: number } = {},
): Promise<void> {
  const { colorScheme = 'light', width = 760, height = 640 } = look
  await page.emulateMedia({ colorScheme })
  await page.setViewportSize({ width, height })
  await page.evaluate('document.activeElement.blur()')
  const path = join(import.meta.dirname, '../../../docs/images', `${name}.png`)
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' })
}
