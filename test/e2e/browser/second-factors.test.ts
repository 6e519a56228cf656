import { Secret, TOTP } from 'otpauth'
import { describe, expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { resident } from '../../support/browser/people.ts'
import { enterPassword, signInToSecurity } from '../../support/browser/sign-in.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

const periodMs = 30_000

describe.each(hosts)('$tenant', (host) => {
  test('an authenticator app is set up, asked for from then on, and a recovery code stands in for it once', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    await signInToSecurity(visitor, person)
    await expectAccessible(visitor, page.getByRole('heading', { name: 'Security' }))
    const totp = await setUpAuthenticator(visitor, () =>
      expectAccessible(visitor, page.getByLabel('Code that the app shows now')),
    )
    await expectAccessible(visitor, page.getByRole('link', { name: 'I have kept them' }))
    const [recoveryCode = ''] = await page.locator('main').getByRole('listitem').allInnerTexts()
    await page.getByRole('link', { name: 'I have kept them' }).click()
    await expectAccessible(visitor, page.getByRole('button', { name: 'Make new recovery codes' }))

    await using later = await Visitor.at(host)
    await later.open('/sign-in')
    await enterPassword(later, person)
    await later.page.getByLabel('Code', { exact: true }).fill('000000')
    await later.page.getByRole('button', { name: 'Confirm' }).click()
    await expectAccessible(later, later.page.getByRole('alert').filter({ hasText: 'not right' }))
    await later.page.getByLabel('Code', { exact: true }).fill(nextCode(totp))
    await later.page.getByRole('button', { name: 'Confirm' }).click()
    await later.page.waitForURL('**/security')

    for (const isFirst of [true, false]) {
      await using last = await Visitor.at(host)
      await last.open('/sign-in')
      await enterPassword(last, person)
      await last.page.getByLabel('Code', { exact: true }).fill(recoveryCode)
      await last.page.getByRole('button', { name: 'Confirm' }).click()
      if (isFirst) await last.page.waitForURL('**/security')
      else await last.page.getByRole('alert').filter({ hasText: 'not right' }).waitFor()
    }
    expect(visitor.pods.size).toBe(2)
    expect(later.pods.size).toBe(2)
  })

  test('without scripts, the password and a code of an authenticator app sign in', async () => {
    await using visitor = await Visitor.at(host, { javaScriptEnabled: false })
    const person = await resident(host)
    await signInToSecurity(visitor, person)
    const totp = await setUpAuthenticator(visitor)
    await using later = await Visitor.at(host, { javaScriptEnabled: false })
    await later.open('/sign-in')
    await expect.poll(() => later.page.getByRole('button', { name: 'passkey' }).isVisible()).toBe(false)
    await enterPassword(later, person)
    await later.page.getByLabel('Code', { exact: true }).fill(nextCode(totp))
    await later.page.getByRole('button', { name: 'Confirm' }).click()
    await later.page.waitForURL('**/security')
    await later.page.getByText('You have 10 left.').waitFor()
    expect(visitor.pods.size).toBe(2)
  })
})

/**
 * Sets up an authenticator app on the page for safety, which is open, and returns it.
 *
 * @param look does something with the page that shows the key.
 */
async function setUpAuthenticator({ page }: Visitor, look?: () => Promise<void>): Promise<TOTP> {
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click()
  const key = await page.locator('.secret').innerText()
  await look?.()
  const totp = new TOTP({ secret: Secret.fromBase32(key.replaceAll(' ', '')) })
  await page.getByLabel('Code that the app shows now').fill(totp.generate())
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
  return totp
}

/** The code that the app shows next: the one that it shows was used. */
function nextCode(totp: TOTP): string {
  return totp.generate({ timestamp: Date.now() + periodMs })
}
