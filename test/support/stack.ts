import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { HostWatch } from './host-watch.ts'
import { until } from './until.ts'

/** What the supervisor writes into stack.json. */
export type StackFile = {
  url: string
  hosts: { hostname: string; url: string; tenant: string }[]
  plcUrl: string
  mailUrl: string
  databaseUrl: string
  redisUrl: string
  adminPassword: string
  processes: { role: string; pid: number; url?: string; internalUrl?: string }[]
}

/** A running local cluster. */
export type Stack = AsyncDisposable & {
  /** Reads stack.json anew: pids change when processes are replaced. */
  read(): Promise<StackFile>
  /** What the supervisor has printed so far. */
  output(): string
  /** Has the supervisor replace every process of a role, one after the other; resolves when it has. */
  update(): Promise<void>
}

const startMsMax = 180_000
const stopMsMax = 60_000
const updateMsMax = 240_000

/**
 * Starts the cluster with the command that users type, on two free ports, in a directory of its own. A strict relay
 * watches each host from its first event to the end of the test: disposing of the stack throws what it has found.
 */
export async function startStack(
  flags: string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-stack-'))
  const port = await twoFreePorts()
  const bootstrap = new URL('../../infra/local/bootstrap.mjs', import.meta.url).pathname
  const args = [
    bootstrap,
    'start',
    '--stack',
    '--port',
    String(port),
    '--dir',
    directory,
    '--rate-limits',
    'off',
    ...flags,
  ]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...env },
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-200_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM')
    const killed = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    await exited
    clearTimeout(killed)
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`the stack ended with status ${child.exitCode}`)
        return /^ready /m.test(output)
      },
      { what: 'the stack to be ready', timeoutMs: startMsMax },
    )
  } catch (error) {
    await stop()
    throw new Error(`${String(error)}\n${output}`, { cause: error })
  }
  const read = async (): Promise<StackFile> =>
    JSON.parse(await readFile(join(directory, 'stack.json'), 'utf8')) as StackFile
  const { hosts, plcUrl } = await read()
  const watches = hosts.map((host) => new HostWatch(host, plcUrl))
  return {
    read,
    output: () => output,
    update: () => update(child, () => output),
    [Symbol.asyncDispose]: async () => {
      await using stack = new AsyncDisposableStack()
      stack.defer(stop)
      for (const watch of watches) stack.use(watch)
      const findings = await Promise.all(watches.map((watch) => watch.settle()))
      assert.deepEqual(findings.flat(), [], 'a strict relay would not have taken this')
    },
  }
}

/** Tells the supervisor to replace the processes and waits until it says that it has, or what went wrong. */
async function update(supervisor: ChildProcess, output: () => string): Promise<void> {
  const alreadySaid = output().length
  supervisor.kill('SIGUSR2')
  await until(
    () => {
      const said = output().slice(alreadySaid)
      if (said.includes('stopped replacing') || supervisor.exitCode !== null) throw new Error(said)
      return said.includes('replaced every process')
    },
    { what: 'every process to be replaced', timeoutMs: updateMsMax },
  )
}

/** The environment without what the test runner and npm add to it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const own = /^(ROOKERY_|VITEST|npm_|NODE_OPTIONS$|NODE_ENV$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
}

/** Returns a free port whose successor is free too: the second host's. */
export async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
