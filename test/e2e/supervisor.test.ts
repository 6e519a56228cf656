import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Stack, startStack, twoFreePorts } from '../support/stack.ts'
import { until } from '../support/until.ts'

describe('the supervisor', () => {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack()
  }, 240_000)

  afterAll(() => stack[Symbol.asyncDispose](), 90_000)

  test('runs the default processes and both hosts answer', async () => {
    const { hosts, processes } = await stack.read()
    const count = (role: string) => processes.filter((process) => process.role === role).length
    expect({ api: count('api'), firehose: count('firehose'), worker: count('worker') }).toEqual({
      api: 2,
      firehose: 2,
      worker: 1,
    })
    expect(count('sequencer')).toBe(2)
    expect(hosts.map(({ tenant }) => tenant)).toEqual(['demo', 'second'])
    for (const { url, hostname } of hosts) {
      const description = await (await fetch(`${url}/xrpc/com.atproto.server.describeServer`)).json()
      expect(description).toMatchObject({ did: `did:web:${encodeURIComponent(hostname)}` })
    }
  })

  test('replaces every process that is killed, and the hosts answer again', async () => {
    const { processes, hosts } = await stack.read()
    const roles = processes.map(({ role }) => role).sort()
    for (const { pid } of processes) process.kill(pid, 'SIGKILL')
    const killed = new Set(processes.map(({ pid }) => pid))
    await until(
      async () => {
        const now = (await stack.read()).processes
        const isSame = JSON.stringify(now.map(({ role }) => role).sort()) === JSON.stringify(roles)
        return isSame && now.every(({ pid }) => !killed.has(pid))
      },
      { what: 'every process to be replaced', timeoutMs: 60_000 },
    )
    for (const { url } of hosts) {
      const description = `${url}/xrpc/com.atproto.server.describeServer`
      await expect.poll(async () => (await fetch(description)).status, { timeout: 60_000 }).toBe(200)
    }
  }, 180_000)
})

describe('npm start', () => {
  const bootstrap = new URL('../../infra/local/bootstrap.mjs', import.meta.url).pathname
  let dir: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rookery-start-'))
  })

  afterAll(() => rm(dir, { recursive: true, force: true }))

  function start(...flags: string[]) {
    const child = spawn(process.execPath, [bootstrap, 'start', '--dir', dir, ...flags])
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part: Buffer) => {
        output += part.toString()
      })
    }
    const exited = once(child, 'exit').then(([code]) => code as number)
    return { child, exited, output: () => output }
  }

  async function pids(): Promise<number[]> {
    const { processes } = JSON.parse(await readFile(join(dir, 'stack.json'), 'utf8')) as {
      processes: { pid: number }[]
    }
    return processes.map(({ pid }) => pid)
  }

  const isGone = (pid: number) => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  }

  test('runs all roles in one process; SIGTERM leaves nothing behind; the second start takes seconds', async () => {
    const port = await twoFreePorts()
    const first = start('--port', String(port))
    await until(() => first.output().includes(`\nready http://localhost:${port}\n`), {
      what: `the first start: ${first.output()}`,
      timeoutMs: 120_000,
    })
    const running = await pids()
    const secrets = await readFile(join(dir, 'secrets.json'), 'utf8')
    expect((await stat(join(dir, 'secrets.json'))).mode & 0o077).toBe(0)

    const refused = start('--port', String(await twoFreePorts()))
    expect(await refused.exited).toBe(1)
    expect(refused.output()).toMatch(/is in use by the stack with pid \d+/)

    first.child.kill('SIGTERM')
    expect(await first.exited).toBe(0)
    expect(running.filter((pid) => !isGone(pid))).toEqual([])
    await expect(stat(join(dir, 'stack.json'))).rejects.toThrow(/ENOENT/)

    const startedMs = performance.now()
    const second = start('--port', String(port))
    await until(() => second.output().includes('\nready '), { what: 'the second start', timeoutMs: 60_000 })
    expect(performance.now() - startedMs).toBeLessThan(20_000)
    expect(await readFile(join(dir, 'secrets.json'), 'utf8')).toBe(secrets)

    const orphans = await pids()
    second.child.kill('SIGKILL')
    await until(() => orphans.every(isGone), {
      what: 'the children of a killed start to end',
      timeoutMs: 40_000,
    })
  }, 240_000)

  test('says what is wrong with a flag, a port or the environment, and ends with status 1', async () => {
    const unknown = start('--prot', '1')
    expect(await unknown.exited).toBe(1)
    expect(unknown.output()).toContain("Unknown option '--prot'")
    const help = start('--help')
    expect(await help.exited).toBe(0)
    expect(help.output()).toMatch(/--handle-domains .*\(default: \.test\)/)
  }, 60_000)
})
