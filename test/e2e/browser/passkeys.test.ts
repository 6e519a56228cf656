import { describe, expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { NodeApp } from '../../support/browser/node-app.ts'
import { resident } from '../../support/browser/people.ts'
import { authorize, signInToSecurity } from '../../support/browser/sign-in.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

describe.each(hosts)('$tenant', (host) => {
  test('a passkey is made, signs in to an app without a password, and is removed', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    await addAuthenticator(visitor)
    await signInToSecurity(visitor, person)
    await page.getByLabel('Name of the device').fill('my phone')
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await expectAccessible(visitor, page.getByText('The passkey is added.'))

    await page.context().clearCookies()
    const app = new NodeApp(host, 'atproto transition:generic')
    await app.begin(page, person.handle)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await authorize(visitor)
    expect((await app.session(page)).did).toBe(person.did)

    await visitor.open('/security')
    await page.getByRole('button', { name: 'Remove my phone' }).click()
    await page.getByText('The passkey is removed.').waitFor()
    await page.context().clearCookies()
    await visitor.open('/sign-in')
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByRole('alert').filter({ hasText: /\w/ }).waitFor()
    expect(page.url()).toContain('/sign-in')
    expect(visitor.pods.size).toBe(2)
  })
})

/** Gives the browser a device that keeps passkeys, whose owner always shows a finger. */
async function addAuthenticator({ page }: Visitor): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}
