import { readFile } from 'node:fs/promises'

import { describe, expect, test } from 'vitest'

import { configurationDocument, loadConfig } from './index.ts'

const complete = {
  ROOKERY_DATABASE_URL: 'postgres://localhost/rookery',
  ROOKERY_REDIS_URL: 'redis://localhost',
  ROOKERY_PLC_ROTATION_KEY: 'AB'.repeat(32),
  ROOKERY_KEY_ENCRYPTION_KEY: 'cd'.repeat(32),
  ROOKERY_JWT_SECRET: 'x'.repeat(32),
  ROOKERY_ADMIN_PASSWORD: 'password',
}

describe('loadConfig', () => {
  test('reads, converts and fills in defaults', () => {
    const config = loadConfig(['api'], {
      ...complete,
      ROOKERY_HTTP_PORT: '80',
      ROOKERY_HTTP_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    })
    expect(config.http.port).toBe(80)
    expect(config.http.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
    expect(config.identity.plcRotationKey).toBe('ab'.repeat(32))
    expect(config.blobs.s3Endpoint).toBeUndefined()
    expect(config.limits.rateLimits).toBe(true)
  })

  test('takes nameservers by address alone', () => {
    const load = (text: string) => loadConfig(['api'], { ...complete, ROOKERY_IDENTITY_NAMESERVERS: text })
    const servers = ['192.0.2.1', '192.0.2.1:5353', '[2001:db8::1]:53']
    expect(load(servers.join(', ')).identity.nameservers).toEqual(servers)
    expect(load('').identity.nameservers).toEqual([])
    expect(() => load('dns.example.com')).toThrow('ROOKERY_IDENTITY_NAMESERVERS')
  })

  test('names every problem at once and never prints a secret', () => {
    const env = {
      ...complete,
      ROOKERY_HTTP_PORT: '99999',
      ROOKERY_KEY_ENCRYPTION_KEY: 'hunter2',
      ROOKERY_REDIS_URL: undefined,
    }
    expect(() => loadConfig(['api'], env)).toThrow(
      /ROOKERY_HTTP_PORT="99999": expected a number from 0 to 65535[^]*ROOKERY_REDIS_URL is required[^]*ROOKERY_KEY_ENCRYPTION_KEY: expected 32 bytes/,
    )
    expect(() => loadConfig(['api'], env)).not.toThrow(/hunter2/)
  })

  test('refuses an unknown name with a suggestion', () => {
    expect(() => loadConfig(['api'], { ...complete, ROOKERY_HTTP_PROT: '1' })).toThrow(
      'ROOKERY_HTTP_PROT is not a variable that Rookery reads; did you mean ROOKERY_HTTP_PORT?',
    )
  })

  test('asks a role only for what it reads', () => {
    const { ROOKERY_DATABASE_URL, ROOKERY_REDIS_URL } = complete
    expect(() => loadConfig(['firehose'], { ROOKERY_DATABASE_URL, ROOKERY_REDIS_URL })).not.toThrow()
  })
})

test('docs/configuration.md is what the generator writes', async () => {
  const document = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  expect(document).toBe(configurationDocument())
})
