import { AtpAgent } from '@atproto/api'
import { describe, expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { mailedToken, stranger } from '../../support/browser/people.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

describe.each(hosts)('$tenant', (host) => {
  // SPEC OA-28
  test('a stranger makes an account on the pages and confirms the address', async () => {
    await using visitor = await Visitor.at(host)
    const { page, pods } = visitor
    const person = await stranger(host)
    await visitor.open('/')
    await expectAccessible(visitor, page.getByRole('link', { name: 'describeServer' }))
    await visitor.open('/account')
    await expectAccessible(visitor, page.getByRole('button', { name: 'Create a new account' }))
    await page.getByRole('button', { name: 'Create a new account' }).click()
    await page.getByLabel('Type your username').fill(person.handle.split('.')[0]!)
    await expectAccessible(visitor, page.getByRole('button', { name: 'Next' }))
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByLabel('Email').fill(person.email)
    await page.getByRole('textbox', { name: 'Password' }).fill(person.password)
    await expectAccessible(visitor, page.getByRole('button', { name: 'Sign up' }))
    await page.getByRole('button', { name: 'Sign up' }).click()
    await page.waitForURL(`**/account/u/${person.handle}`)

    const agent = new AtpAgent({ service: host.url })
    await agent.login({ identifier: person.email, password: person.password })
    expect(agent.session).toMatchObject({ handle: person.handle, emailConfirmed: false })
    const other = new AtpAgent({ service: hosts.find(({ url }) => url !== host.url)!.url })
    const elsewhere = other.login({ identifier: person.email, password: person.password })
    await expect(elsewhere).rejects.toThrow('Invalid identifier or password')

    await page.getByRole('link', { name: 'Account', exact: true }).click()
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByRole('button', { name: 'Send verification code' }).click()
    await page
      .getByRole('dialog')
      .getByRole('textbox')
      .fill(await mailedToken(person))
    await expectAccessible(visitor, page.getByRole('dialog').getByRole('textbox'))
    await page.getByRole('dialog').locator('button[type=submit]').click()
    await page.getByText('Email not verified').waitFor({ state: 'hidden' })
    expect((await agent.com.atproto.server.getSession()).data.emailConfirmed).toBe(true)
    expect(pods.size).toBe(2)
  })
})
