import { describe, expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { NodeApp } from '../../support/browser/node-app.ts'
import { resident } from '../../support/browser/people.ts'
import { enterPassword, signInToSecurity } from '../../support/browser/sign-in.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

describe.each(hosts)('$tenant', (host) => {
  test('somebody who is known chooses the account, looks at what an app wants, and denies it', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    await signInToSecurity(visitor, person)
    const app = new NodeApp(
      host,
      'atproto repo:app.bsky.feed.post repo:com.example.note rpc:*?aud=did:web:api.example.com%23svc',
    )
    await app.begin(page, host.url)
    await expectAccessible(visitor, page.getByRole('button', { name: /^Sign in as/ }))
    await page.getByRole('button', { name: /^Sign in as/ }).click()
    for (const name of ['Technical details', 'Expand details']) {
      await page.getByRole('button', { name }).first().click()
      await expectAccessible(visitor, page.getByRole('dialog'))
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
    }
    await page.getByRole('button', { name: 'Deny access' }).click()
    await page.waitForURL('**/callback?**')
    expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied')
    expect(visitor.pods.size).toBe(2)
  })

  test('everybody can use the pages on which something went wrong', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    await visitor.open(
      '/oauth/authorize?client_id=http://localhost&request_uri=urn:ietf:params:oauth:request_uri:req-0',
    )
    await expectAccessible(visitor, page.getByText('Code: invalid_request'))
    await visitor.open('/account/sign-in')
    await page.getByLabel('Username or Email').fill(person.handle)
    await page.getByRole('textbox', { name: 'Password' }).fill('not the password')
    await expectAccessible(visitor, page.getByLabel('Username or Email'))
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await expectAccessible(visitor, page.getByText('Wrong identifier or password'))
    await visitor.open('/sign-in')
    await page.context().clearCookies()
    await enterPassword(visitor, person)
    await expectAccessible(visitor, page.getByRole('alert').filter({ hasText: 'This form is not from here' }))
    expect(visitor.pods.size).toBe(2)
  })

  test('everybody can use the other pages of an account', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    await signInToSecurity(visitor, person)
    await page.getByLabel('Name of the app').fill('an old app')
    await page.getByRole('button', { name: 'Make an app password' }).click()
    await expectAccessible(visitor, page.getByText('It is shown this once.'))
    await visitor.open('/security')
    await page.getByRole('button', { name: 'Revoke an old app' }).waitFor()
    await visitor.open('/account')
    await page.getByRole('link', { name: 'About', exact: true }).click()
    await expectAccessible(visitor, page.getByRole('heading', { name: 'About' }))
    await page.getByRole('link', { name: 'Account', exact: true }).click()
    await expectAccessible(visitor, page.getByRole('button', { name: 'Delete account' }))
    for (const name of ['Email address', 'Username', 'Password']) {
      await page.getByRole('button', { name: new RegExp(`^${name}`) }).click()
      await expectAccessible(visitor, page.getByRole('dialog'))
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
    }
    expect(visitor.pods.size).toBe(2)
  })
})
