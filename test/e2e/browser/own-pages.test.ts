import { describe, expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { NodeApp } from '../../support/browser/node-app.ts'
import { resident } from '../../support/browser/people.ts'
import { authorize, enterPassword } from '../../support/browser/sign-in.ts'
import { Visitor, hosts } from '../../support/browser/visitor.ts'

describe.each(hosts)('$tenant', (host) => {
  test('everybody can use the pages of their own account, and have an archive made', async () => {
    await using visitor = await Visitor.at(host)
    const { page } = visitor
    const person = await resident(host)
    const app = new NodeApp(host, 'atproto account:email repo:app.bsky.feed.post')
    await app.begin(page, person.handle)
    await enterPassword(visitor, person)
    await authorize(visitor)
    await app.session(page)

    await visitor.open('/sessions')
    await expectAccessible(visitor, page.getByText('this browser'))
    const follow = (name: string) => page.getByRole('navigation').getByRole('link', { name }).click()
    await follow('Apps')
    await expectAccessible(visitor, page.getByText('see your e-mail address'))
    await follow('E-mail, password, handle')
    await expectAccessible(visitor, page.getByRole('button', { name: 'Change the password' }))
    await follow('Deactivate or delete')
    await expectAccessible(visitor, page.getByRole('heading', { name: 'Deactivate or delete' }))
    await follow('Export')
    await page.getByRole('button', { name: 'Make an archive' }).click()
    await expectAccessible(visitor, page.getByRole('link', { name: 'Download the archive' }))
    expect(visitor.pods.size).toBe(2)
  })
})
