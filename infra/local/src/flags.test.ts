import { describe, expect, test } from 'vitest'

import { parseStartOptions, startHelp } from './flags.ts'

describe('parseStartOptions', () => {
  test('without flags, one process with the defaults that --help shows', () => {
    const options = parseStartOptions([], {})
    expect(options).toMatchObject({
      stack: false,
      counts: { api: 2, firehose: 2, worker: 1, sequencer: 2 },
      port: 2583,
      s3: 'disk',
      rateLimits: true,
      tenant: { handleDomains: ['.test'], inviteRequired: false, appView: null },
    })
    expect(options.dir).toMatch(/\.local$/)
    expect(startHelp()).toMatch(/--port P .*\(default: 2583\)/)
  })

  test('reads every kind of flag', () => {
    const options = parseStartOptions(
      [
        ['--api', '3', '--rate-limits=off', '--dir', '/somewhere', '--handle-domains', '.a.test,.b'],
        ['--invites', 'on', '--invite-interval-ms', '1000', '--s3', 'http://127.0.0.1:9000'],
        ['--appview', 'did:web:view.test,https://view.test,https://cdn.test/%s/%s,plain'],
        ['--moderation', 'did:web:mod.test,https://mod.test', '--contact-email', 'a@b.test'],
        ['--profile'],
      ].flat(),
      { ROOKERY_STACK: '1' },
    )
    expect(options).toMatchObject({
      stack: true,
      counts: { api: 3 },
      profile: true,
      rateLimits: false,
      dir: '/somewhere',
      s3: 'http://127.0.0.1:9000',
      tenant: {
        handleDomains: ['.a.test', '.b'],
        inviteRequired: true,
        inviteIntervalMs: 1_000,
        appView: {
          did: 'did:web:view.test',
          url: 'https://view.test',
          cdnUrlPattern: 'https://cdn.test/%s/%s,plain',
        },
        moderation: { did: 'did:web:mod.test', url: 'https://mod.test' },
        contactEmail: 'a@b.test',
      },
    })
  })

  test.each([
    [['--api', '0'], '--api 0: expected a number from 1 to 64'],
    [['--rate-limits', 'maybe'], '--rate-limits maybe: expected on or off'],
    [['--handle-domains', 'test'], '"test" is not a domain that starts with a dot'],
    [['--appview', 'view'], '--appview view,: expected <did>,<url>'],
    [['--s3', 'cloud'], '--s3 cloud: expected disk, emulator'],
    [['--prot', '1'], 'npm start -- --help lists every flag'],
  ])('refuses %j', (args, message) => {
    expect(() => parseStartOptions(args, {})).toThrow(message)
  })
})
