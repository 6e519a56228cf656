import { AtpAgent } from '@atproto/api'
import { describe, expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { mailedToken, resident } from '../../support/browser/people.ts'
import { enterPassword, signInToSecurity } from '../../support/browser/sign-in.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

describe.each(hosts)('$tenant', (host) => {
  // SPEC OA-28
  test('somebody who forgot the password chooses another with a code by mail', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    await visitor.open('/sign-in')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByLabel('Email address').fill(person.email)
    await expectAccessible(visitor, page.getByText('Forgot Password'))
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByLabel('Reset code').fill(await mailedToken(person))
    const password = 'another long and quiet password'
    await page.getByLabel('New password').fill(password)
    await expectAccessible(visitor, page.getByLabel('New password'))
    await page.getByRole('button', { name: 'Next' }).click()
    await expectAccessible(visitor, page.getByRole('button', { name: 'Okay' }))

    await visitor.open('/sign-in')
    await enterPassword(visitor, person)
    await expectAccessible(
      visitor,
      page.getByRole('alert').filter({ hasText: 'Invalid identifier or password' }),
    )
    await enterPassword(visitor, { ...person, password })
    await page.waitForURL('**/security')
    expect(visitor.pods.size).toBe(2)
  })

  // SPEC OA-28
  test('somebody deletes the account on the account pages, for good', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    await signInToSecurity(visitor, person)
    await visitor.open('/account')
    await page.getByRole('link', { name: 'Devices', exact: true }).click()
    await expectAccessible(visitor, page.getByText('This device').first())
    await page.getByRole('link', { name: 'Account', exact: true }).click()
    await page.getByRole('button', { name: 'Deactivate account' }).click()
    await expectAccessible(visitor, page.getByRole('button', { name: 'Yes, Deactivate' }))
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Delete account' }).click()
    await page.getByRole('button', { name: 'Send email' }).click()
    await page.getByLabel('Confirmation code').fill(await mailedToken(person))
    await page.getByRole('textbox', { name: 'Password' }).fill(person.password)
    await expectAccessible(visitor, page.getByRole('button', { name: 'Delete my account' }))
    await page.getByRole('button', { name: 'Delete my account' }).click()
    await page.getByRole('button', { name: 'Yes, delete my account' }).click()
    const signIn = () =>
      new AtpAgent({ service: host.url }).login({ identifier: person.handle, password: person.password })
    await expect
      .poll(() => signIn().then(() => 'signed in', String))
      .toContain('Invalid identifier or password')
    const { data } = await person.agent.com.atproto.sync.getRepoStatus({ did: person.did })
    expect(data).toMatchObject({ active: false, status: 'deleted' })
    expect(visitor.pods.size).toBe(2)
  })
})
