/**
 * `npm start`: brings the services, the hosts and the role processes up in order, supervises them, and takes them
 * down in reverse on SIGTERM or SIGINT, or when the process that started this one is gone. On SIGUSR2 it replaces the
 * role processes one after the other, by processes of the code and the schema as they are then.
 */
import { chmodSync, mkdirSync } from 'node:fs'

import { InvalidConfigError, loadConfig } from '@rookery/config'

import { type Backend, ReadinessProbe } from './backend.ts'
import { removeCtlEnv, writeCtlEnv } from './ctl-env.ts'
import type { StartOptions } from './flags.ts'
import { type Infrastructure, type Supervision, startInfrastructure } from './infrastructure.ts'
import { LoadBalancer } from './load-balancer.ts'
import { type Roles, roleEnvironment, startRoles } from './roles.ts'
import { clusterSecrets } from './secrets.ts'
import { seed } from './seed.ts'
import { SetUpError } from './set-up-error.ts'
import { type StackFile, removeStackFile, writeStackFile } from './stack-file.ts'
import { lockState } from './state-lock.ts'
import { welcome } from './welcome.ts'

/** How long requests may take to end once the stack is stopping, in milliseconds. */
const drainMs = 5_000

/** Runs until it is told to stop; resolves when nothing of it is left. */
export async function start(options: StartOptions): Promise<void> {
  mkdirSync(options.dir, { recursive: true })
  // NOTE: PostgreSQL may run as another user, who must be able to pass through; the secrets inside are closed.
  chmodSync(options.dir, 0o755)
  using _lock = lockState(options.dir)
  const stop = stopSignal()
  const stack = new Stack(options, stop.signal)
  const update = () => void stack.update()
  process.on('SIGUSR2', update)
  try {
    await stack.up()
    await stop.received
    stack.say('stopping')
  } finally {
    await stack.down()
    process.off('SIGUSR2', update)
    stop[Symbol.dispose]()
  }
}

/** All that runs, and its stack.json once it is ready. */
class Stack {
  readonly #options: StartOptions
  readonly #stopping: AbortSignal
  readonly #supervision: Supervision
  #balancer: LoadBalancer | undefined
  #probe: ReadinessProbe | undefined
  #roles: Roles | undefined
  #isUpdating = false
  #file: Omit<StackFile, 'processes'> | undefined

  constructor(options: StartOptions, stopping: AbortSignal) {
    this.#options = options
    this.#stopping = stopping
    this.#supervision = {
      processes: [],
      onChange: () => this.#writeFile(),
      say: (text) => this.say(text),
    }
  }

  say(text: string): void {
    console.error(`[rookery] ${text}`)
  }

  async up(): Promise<void> {
    const options = this.#options
    removeStackFile(options.dir)
    const secrets = clusterSecrets(options.dir, process.env)
    // Taken first: a port in use must be told before minutes of work, and requests wait until somebody is ready.
    const backends: Backend[] = []
    this.#balancer = await LoadBalancer.listen([options.port, options.port + 1], backends)
    this.say('starting PostgreSQL, Redis, the PLC directory and the mail catcher')
    const infrastructure = await startInfrastructure(options, process.env, this.#supervision)
    this.#throwIfStopping()
    this.say('preparing the database and the hosts')
    const hosts = await seed(infrastructure.databaseUrl, options)
    this.#throwIfStopping()
    const env = roleEnvironment(options, infrastructure, { env: process.env, secrets })
    checkConfiguration(env)
    this.say(
      options.stack ? `starting ${processCount(options)} processes` : 'starting all roles in one process',
    )
    const roles = await startRoles(options, { env, backends }, this.#supervision)
    this.#probe = new ReadinessProbe(backends)
    await roles.untilReady(this.#probe, this.#stopping)
    this.#roles = roles
    this.#file = stackFile({ hosts, infrastructure, adminPassword: secrets['ROOKERY_ADMIN_PASSWORD'] ?? '' })
    writeCtlEnv(options.dir, env)
    this.#writeFile()
    console.log(`ready ${this.#file.url}`)
    console.log(welcome(this.#file, options))
  }

  /** Replaces the role processes, unless that is under way; says how it went. */
  async update(): Promise<void> {
    if (this.#roles === undefined || this.#isUpdating) return this.say('not now: starting or updating')
    this.#isUpdating = true
    this.say('replacing the processes one after the other')
    try {
      await this.#roles.replaceAll()
      this.say('replaced every process')
    } catch (error) {
      this.say(`stopped replacing: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      this.#isUpdating = false
    }
  }

  async down(): Promise<void> {
    removeStackFile(this.#options.dir)
    removeCtlEnv(this.#options.dir)
    this.#file = undefined
    this.#probe?.[Symbol.dispose]()
    const balancerClosed = this.#balancer?.close(drainMs)
    const { processes } = this.#supervision
    const roles = processes.filter(({ role }) => ['api', 'firehose', 'standalone'].includes(role))
    await Promise.all(roles.map((process) => process[Symbol.asyncDispose]()))
    await balancerClosed
    for (const process of processes.toReversed()) await process[Symbol.asyncDispose]()
  }

  #throwIfStopping(): void {
    if (this.#stopping.aborted) throw new SetUpError('stopped before it was ready')
  }

  #writeFile(): void {
    if (this.#file === undefined) return
    const processes = this.#supervision.processes.flatMap(({ role, current }) =>
      current === undefined
        ? []
        : [
            {
              role,
              pid: current.pid,
              ...(current.url !== undefined && { url: current.url }),
              ...(current.internalUrl !== undefined && { internalUrl: current.internalUrl }),
            },
          ],
    )
    writeStackFile(this.#options.dir, { ...this.#file, processes })
  }
}

function stackFile(of: {
  hosts: StackFile['hosts']
  infrastructure: Infrastructure
  adminPassword: string
}): Omit<StackFile, 'processes'> {
  const { hosts, infrastructure, adminPassword } = of
  const { plcUrl, mailUrl, databaseUrl, redisUrl, s3 } = infrastructure
  return {
    url: hosts[0]?.url ?? '',
    hosts,
    plcUrl,
    mailUrl,
    databaseUrl,
    redisUrl,
    s3,
    operator: { user: 'admin', password: adminPassword },
    adminPassword,
  }
}

function processCount({ counts }: StartOptions): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Refuses a bad setting here, once, instead of in the log of every process. */
function checkConfiguration(env: Record<string, string>): void {
  try {
    loadConfig(['api', 'firehose', 'sequencer', 'worker'], env)
  } catch (error) {
    if (error instanceof InvalidConfigError) throw new SetUpError(error.message, { cause: error })
    throw error
  }
}

/** Told to stop: by a signal, or because the parent that set everything up has died. */
function stopSignal(): Disposable & { signal: AbortSignal; received: Promise<void> } {
  const abort = new AbortController()
  const stop = () => abort.abort()
  const events = ['SIGTERM', 'SIGINT', 'SIGHUP', 'disconnect'] as const
  for (const event of events) process.on(event, stop)
  // NOTE: an aborted wait must keep the process alive until then.
  const alive = setInterval(() => undefined, 60_000)
  const received = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()))
  return {
    signal: abort.signal,
    received,
    [Symbol.dispose]: () => {
      clearInterval(alive)
      for (const event of events) process.off(event, stop)
    },
  }
}
