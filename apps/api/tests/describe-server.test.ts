import { afterAll, beforeAll, expect, test } from 'vitest'

import { TestApi } from './test-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const describeServer = async (host: string) =>
  (await api.get('com.atproto.server.describeServer', {}, { host })).body

// SPEC XR-14
test('describeServer tells the host, its handle domains and what its tenant has set', async () => {
  expect(await describeServer('one.test')).toMatchObject({
    did: 'did:web:one.test',
    availableUserDomains: ['.club.test', '.one.test'],
    inviteCodeRequired: false,
    links: {},
    contact: {},
  })
  const settings = {
    inviteRequired: true,
    privacyPolicyUrl: 'https://two.example/privacy',
    termsOfServiceUrl: 'https://two.example/terms',
    contactEmail: 'abuse@two.example',
  }
  await api.db.pool.query(`update tenant set settings = $1 where slug = 'two'`, [JSON.stringify(settings)])
  await api.pods[0]!.deps.directory.refresh()
  const answer = await describeServer('two.test')
  expect(answer).toMatchObject({
    did: 'did:web:two.test',
    availableUserDomains: ['.two.test'],
    inviteCodeRequired: true,
    links: { privacyPolicy: settings.privacyPolicyUrl, termsOfService: settings.termsOfServiceUrl },
    contact: { email: settings.contactEmail },
  })
  api.pods[0]!.deps.lexicons.validateOutput('com.atproto.server.describeServer', answer)
})
