import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { startStack } from '../support/stack.ts'

const keys = {
  ROOKERY_PLC_ROTATION_KEY: randomBytes(32).toString('hex'),
  ROOKERY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
}
const main = new URL('../../apps/ctl/src/main.ts', import.meta.url).pathname

// SPEC REP-4
test('an account that is written through two processes gets other keys, and a strict relay takes it all', async () => {
  await using stack = await startStack(['--api', '2'], keys)
  const { hosts, databaseUrl, redisUrl, plcUrl } = await stack.read()
  const { url, hostname } = hosts[0]!
  const post = async (nsid: string, input: object, token?: string): Promise<any> => {
    const response = await fetch(`${url}/xrpc/${nsid}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(input),
    })
    expect(response.status).toBe(200)
    return response.json()
  }
  const description: any = await (await fetch(`${url}/xrpc/com.atproto.server.describeServer`)).json()
  const handle = `rota${description.availableUserDomains[0]}`
  const account = { handle, email: 'rota@mail.test', password: 'a quiet password' }
  const { did, accessJwt } = await post('com.atproto.server.createAccount', account)
  const write = (n: number) =>
    post(
      'com.atproto.repo.createRecord',
      { repo: did, collection: 'org.example.note', record: { $type: 'org.example.note', n } },
      accessJwt,
    )
  const rotate = async (): Promise<string> => {
    const env = {
      PATH: process.env['PATH'],
      ROOKERY_DATABASE_URL: databaseUrl,
      ROOKERY_REDIS_URL: redisUrl,
      ROOKERY_PLC_URL: plcUrl,
      ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'true',
      ...keys,
    }
    const argv = [main, 'keys', 'rotate-signing', did, '--host', hostname, '--json']
    const { stdout } = await promisify(execFile)(process.execPath, argv, { env })
    return (JSON.parse(stdout) as { key: string }).key
  }
  const seen = new Set<string>()
  for (let round = 0; round < 2; round++) {
    const writes = Array.from({ length: 20 }, (_, n) => write(n))
    await Promise.all(writes)
    seen.add(await rotate())
    await Promise.all(Array.from({ length: 20 }, (_, n) => write(n)))
  }
  expect(seen.size).toBe(2)
}, 240_000)
