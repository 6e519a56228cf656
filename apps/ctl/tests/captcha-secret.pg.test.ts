import { captchaOwner, findCaptchaSecret, getTenant } from '@rookery/tenants'
import { KeyWrapper } from '@rookery/identity'
import { must } from '@rookery/std'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { TestCluster } from './test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start()
})
afterAll(() => cluster[Symbol.asyncDispose]())

test('a captcha’s secret is stored wrapped, never shown, moved with the others, and removed', async () => {
  const secret = '0x-a-secret-of-people'
  cluster.input = `${secret}\n`
  const stored = await cluster.ctl('tenant', 'captcha-secret', 'people', '--json')
  expect(stored).toMatchObject({ code: 0, err: '' })
  const shown = await cluster.ctl('tenant', 'show', 'people', '--json')
  expect(stored.out + shown.out).not.toContain(secret)
  const tenant = await getTenant(cluster.db.database.kysely, 'people')
  const wrapped = must(await findCaptchaSecret(cluster.db.pool, tenant.id))
  expect(wrapped.includes(secret)).toBe(false)
  const wrapper = new KeyWrapper([Buffer.from(cluster.wrapKey, 'hex')])
  expect(wrapper.unwrap(wrapped, captchaOwner(tenant)).toString()).toBe(secret)
  expect(await cluster.json('keys', 'status')).toMatchObject([{ secrets: 'captcha secrets', count: 1 }])
  expect(await cluster.json('keys', 'rewrap', '--dry-run')).toMatchObject({ failed: [] })
  await cluster.json('tenant', 'captcha-secret', 'people', '--remove')
  expect(await findCaptchaSecret(cluster.db.pool, tenant.id)).toBeUndefined()
})

test('an empty secret is refused', async () => {
  cluster.input = '\n'
  const { code, err } = await cluster.ctl('tenant', 'captcha-secret', 'people')
  expect({ code, err }).toEqual({ code: 1, err: 'ctl: no usable secret on standard input\n' })
})
