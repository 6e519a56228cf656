import { AtpAgent } from '@atproto/api'
import { must } from '@rookery/std'
import { expect, test } from 'vitest'

import { expectAccessible } from '../../support/browser/accessible.ts'
import { mailedToken, resident, stranger } from '../../support/browser/people.ts'
import { Visitor, hosts, plcUrl } from '../../support/browser/visitor.ts'

test('somebody moves their account from one host to another, with everything in it', async () => {
  const [from, to] = [must(hosts[0]), must(hosts[1])]
  const person = await resident(from)
  const { did, agent } = person
  const picture = Buffer.from('a file of the account')
  const { data: uploaded } = await agent.uploadBlob(picture, { encoding: 'text/plain' })
  const post = await agent.post({ text: 'moves along', createdAt: new Date().toISOString() })
  await agent.com.atproto.repo.putRecord({
    repo: did,
    collection: 'com.example.file',
    rkey: 'self',
    record: { $type: 'com.example.file', file: uploaded.blob },
  })

  await using visitor = await Visitor.at(to)
  const { page } = visitor
  const here = await stranger(to)
  await visitor.open('/migrate')
  // Handles of the demo are in no DNS.
  await page.getByLabel('Handle or DID of your account').fill(did)
  await expectAccessible(visitor, page.getByRole('button', { name: 'Find my account' }))
  await page.getByRole('button', { name: 'Find my account' }).click()
  await expectAccessible(visitor, page.getByRole('button', { name: 'Fetch my account' }))
  await page.getByLabel('Password at your old server').fill(person.password)
  await page.getByLabel('Handle here').fill(here.handle)
  await page.getByLabel('E-mail address').fill(here.email)
  await page.getByLabel('New password, for here').fill(here.password)
  await page.getByRole('button', { name: 'Fetch my account' }).click()
  await expectAccessible(visitor, page.getByRole('heading', { name: 'Everything is here' }))
  await page.getByRole('button', { name: 'Have my old server mail me a code' }).click()
  await page.getByText('Your old server mails you a code.').waitFor()
  await page.getByLabel('Code from that mail').fill(await mailedToken(person))
  await page.getByRole('button', { name: 'Move for good' }).click()
  await expectAccessible(
    visitor,
    page.getByRole('status').filter({ hasText: 'Your account lives here now.' }),
  )
  expect(visitor.pods.size).toBe(2)

  const moved = new AtpAgent({ service: to.url })
  await moved.login({ identifier: here.handle, password: here.password })
  expect(moved.assertDid).toBe(did)
  const { data: record } = await moved.com.atproto.repo.getRecord({
    repo: did,
    collection: 'app.bsky.feed.post',
    rkey: must(post.uri.split('/').at(-1)),
  })
  expect(record.cid).toBe(post.cid)
  const { data: bytes } = await moved.com.atproto.sync.getBlob({ did, cid: uploaded.blob.ref.toString() })
  expect(Buffer.from(bytes)).toEqual(picture)
  const document = (await (await fetch(`${plcUrl}/${did}`)).json()) as { service: object[] }
  expect(document.service).toMatchObject([{ serviceEndpoint: to.url }])
  const { data: left } = await agent.com.atproto.server.checkAccountStatus()
  expect(left.activated).toBe(false)
})
