import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startRedis } from '@rookery/local'
import { createLogger } from '@rookery/telemetry'
import { expect, test } from 'vitest'

import { createRedis } from './redis-client.ts'

test('reaches a server by TCP and through its Unix socket, with its password', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'rookery-redis-'))
  cleanUp.defer(() => rmSync(dir, { recursive: true, force: true }))
  const server = cleanUp.use(await startRedis({ dir, durable: false }))
  expect(server.localUrl).toMatch(/^unix:/)
  for (const [url, address] of [
    [server.url, /laddr=127\.0\.0\.1:/],
    [server.localUrl, /laddr=\S*redis\.sock:0/],
  ] as const) {
    const redis = cleanUp.adopt(
      createRedis(createLogger('test', 'silent'), url, { blocking: true }),
      (each) => each.disconnect(),
    )
    expect(await redis.client('INFO')).toMatch(address)
  }
})
