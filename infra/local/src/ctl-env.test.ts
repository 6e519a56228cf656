import { parseEnv } from 'node:util'

import { expect, test } from 'vitest'

import { formatEnvFile } from './ctl-env.ts'

test('node reads the settings back as they were, and nothing else', () => {
  const settings = {
    ROOKERY_DATABASE_URL: 'postgres://a:b@127.0.0.1:5432/rookery?x=1#y',
    ROOKERY_MAIL_FROM: 'Rookery "local" <noreply@localhost>',
    ROOKERY_REDIS_PREFIX: "it's",
    ROOKERY_CRAWL_RELAYS: '',
  }
  expect(parseEnv(formatEnvFile({ ...settings, PATH: '/bin' }))).toEqual(settings)
})
