/** The stack of this checkout, started as `npm start -- --stack` starts it, in a new folder. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { BenchError } from '../bench-error.ts'
import type { Server } from '../http/connection.ts'
import type { MeasuredProcess } from '../process-stats.ts'
import { type Child, lastLines, startChild } from '../../support/child.ts'
import { dataDirectory, databaseBytes } from './database-size.ts'
import { queryRows } from './database.ts'
import { seedAccounts } from './rookery-seed.ts'
import type { System } from './system.ts'
import { twoFreePorts, untilReady } from './until-ready.ts'

/** Processes of the stack that are not the system: stand-ins for what others run in earnest. */
const standIns = new Set(['plc', 'mail', 's3'])

/** How long a start may take, and a replaced process to answer, in milliseconds. */
const startMsMax = 180_000

/** As long as Rookery lets an access token live. */
const accessTokenMs = 24 * 60 * 60 * 1_000

/** What is read of stack.json. */
type StackFile = {
  hosts: { hostname: string; url: string }[]
  databaseUrl: string
  processes: { role: string; pid: number; url?: string }[]
}

/** How to run the stack. */
export type RookeryOptions = {
  dir: string
  /** Processes that answer requests. */
  apiCount: number
  /** Send requests through the local load balancer instead of to the api processes in turn. */
  throughBalancer: boolean
  /** Make everything ready to be profiled, which costs a few percent. Default false. */
  isProfiled?: boolean
}

/** A running stack, with access to its database for figures. */
export type Rookery = System & {
  readonly databaseUrl: string
  /** File to which PostgreSQL writes its log. */
  readonly postgresLog: string
  /** Stops it and starts it over the same data with another number of api processes. */
  resize(apiCount: number): Promise<void>
}

/** Starts the stack with rate limits off and blobs on disk. @throws {BenchError} with its last output. */
export async function startRookery(options: RookeryOptions): Promise<Rookery> {
  mkdirSync(options.dir, { recursive: true })
  const port = await twoFreePorts()
  let child = await startStack(options, port)
  const read = () => readStackFile(options.dir)
  const { databaseUrl } = read()
  const dataDir = await dataDirectory(databaseUrl)
  const host = new URL(read().hosts[0]?.url ?? '').host
  const serving = (role: string): Server[] =>
    read()
      .processes.filter((process) => process.role === role && process.url !== undefined)
      .map((process) => ({ port: Number(new URL(process.url ?? '').port), host }))
  const measured = (): MeasuredProcess[] => read().processes.map(({ role, pid }) => ({ role, pid }))
  return {
    name: 'rookery',
    handleSuffix: '.test',
    accessTokenMs,
    firehoseRole: 'firehose',
    databaseUrl,
    postgresLog: join(options.dir, 'postgres.log'),
    servers: () => (options.throughBalancer ? [{ port, host }] : serving('api')),
    firehoses: () => (options.throughBalancer ? [{ port, host }] : serving('firehose')),
    processes: () => measured().filter(({ role }) => !standIns.has(role)),
    bystanders: () => [
      ...measured().filter(({ role }) => standIns.has(role)),
      ...(options.throughBalancer ? [{ role: 'balancer', pid: child.pid }] : []),
    ],
    restartServers: () => replace('api', options.dir, serving),
    restartFirehoses: () => replace('firehose', options.dir, serving),
    seedAccounts: (handles) => seedAccounts({ databaseUrl, dir: options.dir, hostname: host }, handles),
    gatherStatistics: async () => {
      await queryRows(databaseUrl, 'analyze account')
    },
    storedBytes: () => databaseBytes(databaseUrl),
    resize: async (apiCount) => {
      await child.stop()
      child = await startStack({ ...options, apiCount }, port)
    },
    [Symbol.asyncDispose]: async () => {
      await child.stop()
      // NOTE: PostgreSQL keeps its data in a folder elsewhere when its user cannot reach this one.
      rmSync(resolve(dataDir, '../..'), { recursive: true, force: true })
    },
  }
}

async function startStack(options: RookeryOptions, port: number): Promise<Child> {
  const logFile = join(options.dir, 'stack.log')
  const child = startChild({
    module: resolve(import.meta.dirname, '../../../infra/local/src/main.ts'),
    args: [
      ['start', '--stack', '--dir', options.dir, '--port', String(port)],
      ['--api', String(options.apiCount), '--rate-limits', 'off', '--s3', 'disk'],
      options.isProfiled === true ? ['--profile'] : [],
    ].flat(),
    env: stackEnvironment(),
    logFile,
  })
  try {
    await untilReady(() => existsSync(join(options.dir, 'stack.json')), {
      what: 'the stack',
      timeoutMs: startMsMax,
      giveUp: () => child.process.exitCode !== null,
    })
    return child
  } catch (error) {
    await child.stop()
    throw new BenchError(`Rookery's stack did not start; the end of ${logFile}:\n${lastLines(logFile)}`, {
      cause: error,
    })
  }
}

/** Without settings of the surrounding shell that would change what is measured. */
function stackEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(ROOKERY_|npm_|NODE_OPTIONS$)/.test(name))
  return {
    ...Object.fromEntries(kept),
    NODE_ENV: 'production',
    ROOKERY_LOG_LEVEL: 'warn',
    // A run may last longer than the half hour of the default.
    ROOKERY_AUTH_ACCESS_TOKEN_MS: String(accessTokenMs),
  }
}

function readStackFile(dir: string): StackFile {
  return JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')) as StackFile
}

/** Kills every process of a role; resolves when the supervisor has replaced all of them and they answer. */
async function replace(role: string, dir: string, serving: (role: string) => Server[]): Promise<void> {
  const old = readStackFile(dir).processes.filter((each) => each.role === role)
  for (const { pid } of old) process.kill(pid, 'SIGKILL')
  const areReplaced = () => {
    const now = readStackFile(dir).processes.filter((each) => each.role === role)
    return now.length === old.length && now.every(({ pid }) => old.every((gone) => gone.pid !== pid))
  }
  const answer = async ({ port, host }: Server) => {
    const response = await fetch(`http://127.0.0.1:${port}/xrpc/_health`, { headers: { host } })
    await response.arrayBuffer()
    // NOTE: a firehose process does not know this method; that it answers at all is what counts.
    return response.status < 500
  }
  await untilReady(
    async () => areReplaced() && (await Promise.all(serving(role).map(answer))).every(Boolean),
    {
      what: `the ${role} processes after they were killed`,
      timeoutMs: startMsMax,
    },
  )
}
