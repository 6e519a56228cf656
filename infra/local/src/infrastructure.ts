/** The services that the roles need, each supervised unless the caller brought its own. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { StartOptions } from './flags.ts'
import { spawnGuarded } from './guarded-process.ts'
import { lastLines, logFile } from './log-files.ts'
import { freePort, isListening, waitUntil } from './ports.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'
import { SetUpError } from './set-up-error.ts'
import type { S3Entry } from './stack-file.ts'
import { type Running, Supervised } from './supervised.ts'

/** Where the services are. */
export type Infrastructure = {
  /** For anyone on this machine, over TCP. */
  databaseUrl: string
  redisUrl: string
  /** For the roles: Unix sockets where they can be had. */
  roleUrls: { database: string; redis: string }
  plcUrl: string
  mailUrl: string
  smtpUrl: string
  s3: S3Entry
}

/** What every supervised part of a stack needs: whom to tell, and who stops it in the end. */
export type Supervision = {
  /** Started processes, in order; stopped in reverse. */
  processes: Supervised[]
  onChange: () => void
  say: (text: string) => void
}

/** Starts what is missing; everything is ready when it resolves. */
export async function startInfrastructure(
  options: StartOptions,
  env: NodeJS.ProcessEnv,
  supervision: Supervision,
): Promise<Infrastructure> {
  const [database, redis, plcUrl, mail, s3] = await Promise.all([
    options.databaseUrl === undefined ? ownPostgres(options, supervision) : given(options.databaseUrl),
    options.redisUrl === undefined ? ownRedis(options.dir, supervision) : given(options.redisUrl),
    options.plcUrl ?? ownPlc(options.dir, supervision),
    ownMail(options.dir, supervision),
    blobStore(options, env, supervision),
  ])
  const roleUrls = { database: database.localUrl, redis: redis.localUrl }
  return { databaseUrl: database.url, redisUrl: redis.url, roleUrls, plcUrl, ...mail, s3 }
}

/** How a service is reached: by anyone on this machine, and by the roles. */
type ServiceUrls = { url: string; localUrl: string }

function given(url: string): ServiceUrls {
  return { url, localUrl: url }
}

/** Counts what each statement costs, also within functions; no plan is written until somebody sets a threshold. */
const profilingSettings = {
  shared_preload_libraries: 'pg_stat_statements,auto_explain',
  'pg_stat_statements.track': 'all',
}

async function ownPostgres({ dir, profile }: StartOptions, supervision: Supervision): Promise<ServiceUrls> {
  const port = await freePort()
  const settings = profile ? profilingSettings : {}
  let urls = given('')
  await supervise('postgres', supervision, async () => {
    const server = await startPostgres({ dir, port, settings })
    urls = server
    return { ...server, url: `postgresql://127.0.0.1:${port}` }
  })
  return urls
}

async function ownRedis(dir: string, supervision: Supervision): Promise<ServiceUrls> {
  const port = await freePort()
  let urls = given('')
  await supervise('redis', supervision, async () => {
    const server = await startRedis({ dir, port })
    urls = server
    return { ...server, url: `redis://127.0.0.1:${port}` }
  })
  return urls
}

async function ownPlc(dir: string, supervision: Supervision): Promise<string> {
  const port = await freePort()
  const options = { file: join(dir, 'plc.jsonl'), port }
  await supervise('plc', supervision, () => startServiceProcess({ dir, name: 'plc', port, options }))
  return `http://localhost:${port}`
}

async function ownMail(dir: string, supervision: Supervision): Promise<{ mailUrl: string; smtpUrl: string }> {
  const [port, smtpPort] = [await freePort(), await freePort()]
  const options = { file: join(dir, 'mail.jsonl'), httpPort: port, smtpPort }
  await supervise('mail', supervision, () => startServiceProcess({ dir, name: 'mail', port, options }))
  return { mailUrl: `http://127.0.0.1:${port}/`, smtpUrl: `smtp://127.0.0.1:${smtpPort}` }
}

async function blobStore(
  { dir, s3 }: StartOptions,
  env: NodeJS.ProcessEnv,
  supervision: Supervision,
): Promise<S3Entry> {
  if (s3 === 'disk') {
    const directory = join(dir, 'blobs')
    mkdirSync(directory, { recursive: true })
    return { driver: 'disk', directory }
  }
  const common = {
    driver: 's3' as const,
    region: env['ROOKERY_BLOBS_S3_REGION'] ?? 'us-east-1',
    bucket: env['ROOKERY_BLOBS_S3_BUCKET'] ?? 'rookery',
  }
  if (s3 === 'emulator') {
    const port = await freePort()
    const keys = { accessKey: 'rookery', secretKey: 'rookery-secret' }
    const options = { dir: join(dir, 's3'), port, bucket: common.bucket, ...keys }
    await supervise('s3', supervision, () => startServiceProcess({ dir, name: 's3', port, options }))
    const endpoint = `http://127.0.0.1:${port}`
    return { ...common, endpoint, accessKeyId: keys.accessKey, secretAccessKey: keys.secretKey }
  }
  const accessKeyId = env['ROOKERY_BLOBS_S3_ACCESS_KEY_ID']
  const secretAccessKey = env['ROOKERY_BLOBS_S3_SECRET_ACCESS_KEY']
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new SetUpError(
      `--s3 ${s3} needs ROOKERY_BLOBS_S3_ACCESS_KEY_ID and ROOKERY_BLOBS_S3_SECRET_ACCESS_KEY in the environment`,
    )
  }
  return { ...common, endpoint: s3, accessKeyId, secretAccessKey }
}

async function supervise(
  role: string,
  supervision: Supervision,
  start: () => Promise<Running>,
): Promise<void> {
  const { onChange, say } = supervision
  supervision.processes.push(await Supervised.launch({ role, start, onChange, say }))
}

/** Runs one of the small servers of service-main.ts; resolves when it listens. */
async function startServiceProcess(service: {
  dir: string
  name: string
  port: number
  options: Record<string, unknown>
}): Promise<Running> {
  const { dir, name, port, options } = service
  const log = logFile(dir, name)
  const child = await spawnGuarded({
    command: process.execPath,
    args: [join(import.meta.dirname, 'service-main.ts'), name, JSON.stringify(options)],
    logFile: log,
  })
  let exitCode: number | undefined
  void child.exited.then((code) => (exitCode = code))
  try {
    await waitUntil(() => isListening(port), {
      what: `starting the ${name} service (log: ${log})`,
      timeoutMs: 30_000,
      giveUp: () =>
        exitCode === undefined ? undefined : `it ended with code ${exitCode}\n${lastLines(log)}`,
    })
  } catch (error) {
    await child.stop(0)
    throw error
  }
  return { pid: child.pid, exited: child.exited, stop: () => child.stop(), url: `http://127.0.0.1:${port}` }
}
