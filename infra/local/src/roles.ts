/** The processes of Rookery itself: which there are, their environment, and how each is started. */
import { join, resolve } from 'node:path'

import type { Backend, ReadinessProbe } from './backend.ts'
import type { StartOptions } from './flags.ts'
import { spawnGuarded } from './guarded-process.ts'
import type { Infrastructure, Supervision } from './infrastructure.ts'
import { lastLines, logFile } from './log-files.ts'
import { memoryEnvironment } from './memory-environment.ts'
import { freePort, waitUntil } from './ports.ts'
import { SetUpError } from './set-up-error.ts'
import { Supervised } from './supervised.ts'

const appsDir = resolve(import.meta.dirname, '../../../apps')

/** How long all roles together may take to become ready, in milliseconds. */
const readyTimeoutMs = 90_000

/** How long a stopping process may take before it is killed, in milliseconds; above what it takes with the settings below. */
const stopGraceMs = 25_000

/** One process to run. */
type Slot = {
  /** What stack.json and the folder in apps/ call it. */
  role: string
  /** Distinguishes it from others of its role. */
  name: string
  /** The roles that it serves. */
  serves: readonly string[]
  /** What its latest process serves. */
  backends: Backend[]
  logFile: string
  /** How often it has ended. */
  ends: number
}

/** All role processes of a stack. */
export type Roles = {
  /** Resolves when every one is ready; fails with the log of one that keeps ending. */
  untilReady(probe: ReadinessProbe, signal: AbortSignal): Promise<void>
  /** Replaces each process by a new one, one after the other; fails at the first that does not become ready. */
  replaceAll(): Promise<void>
}

/** Roles whose process serves the public port. */
const serving = new Set(['api', 'firehose', 'standalone'])

/** Ends of one process during start-up after which it is hopeless. */
const endsMax = 3

/** The order of a rolling update, as far as there is one: what others need comes first. */
const replacementOrder = ['worker', 'sequencer', 'api', 'firehose', 'standalone']

/** Starts every role process and keeps `backends` the list of those that exist; resolves when all do. */
export async function startRoles(
  options: StartOptions,
  { env, backends }: { env: Record<string, string>; backends: Backend[] },
  supervision: Supervision,
): Promise<Roles> {
  const slots = options.stack ? stackSlots(options) : [standaloneSlot(options)]
  const { dir } = options
  const started = await Promise.all(slots.map((slot) => launch(slot, { dir, env, backends, supervision })))
  supervision.processes.push(...started)
  const ordered = replacementOrder.flatMap((role) => started.filter((process) => process.role === role))
  return {
    untilReady: (probe, signal) => untilReady(slots, probe, signal),
    replaceAll: async () => {
      for (const process of ordered) await process.replace()
    },
  }
}

async function untilReady(slots: Slot[], probe: ReadinessProbe, signal: AbortSignal): Promise<void> {
  const isReady = (slot: Slot) => slot.backends.every(({ isReady }) => isReady)
  const trouble = () => {
    const hopeless = slots.find(({ ends }) => ends >= endsMax)
    if (signal.aborted) return 'stopped'
    if (hopeless === undefined) return undefined
    return `${hopeless.name} ended ${endsMax} times; the end of ${hopeless.logFile}:\n${lastLines(hopeless.logFile)}`
  }
  try {
    await waitUntil(
      async () => {
        await probe.probe()
        return slots.every(isReady)
      },
      { what: 'starting the processes of Rookery', timeoutMs: readyTimeoutMs, giveUp: trouble },
    )
  } catch (error) {
    const slow = slots.find((slot) => !isReady(slot))
    if (!(error instanceof SetUpError) || slow === undefined || trouble() !== undefined) throw error
    throw new SetUpError(
      `${error.message}: ${slow.name}; the end of ${slow.logFile}:\n${lastLines(slow.logFile)}`,
      { cause: error },
    )
  }
}

function stackSlots({ counts, dir }: StartOptions): Slot[] {
  return Object.entries(counts).flatMap(([role, count]) =>
    Array.from({ length: count }, (_, i) => {
      const name = `${role}-${i + 1}`
      return { role, name, serves: [role], backends: [], logFile: logFile(dir, name), ends: 0 }
    }),
  )
}

/** One process that serves both roles on one port. */
function standaloneSlot({ dir }: StartOptions): Slot {
  const name = 'standalone'
  return { role: name, name, serves: ['api', 'firehose'], backends: [], logFile: logFile(dir, name), ends: 0 }
}

type Context = { dir: string; env: Record<string, string>; backends: Backend[]; supervision: Supervision }

function launch(slot: Slot, { dir, env, backends, supervision }: Context): Promise<Supervised> {
  const start = async () => {
    // A new port for every start: connections of the killed process cannot be mistaken for the new one's.
    const [port, internalPort] = [await freePort(), await freePort()]
    const child = await spawnGuarded({
      command: process.execPath,
      args: [join(appsDir, slot.role, 'src/main.ts')],
      cwd: dir,
      env: { ...env, ROOKERY_HTTP_PORT: String(port), ROOKERY_HTTP_INTERNAL_PORT: String(internalPort) },
      logFile: slot.logFile,
    })
    const own: Backend[] = slot.serves.map((role) => ({ role, port, internalPort, isReady: false }))
    slot.backends = own
    backends.push(...own)
    void child.exited.then(() => {
      slot.ends++
      for (const backend of own) {
        backend.isReady = false
        backends.splice(backends.indexOf(backend), 1)
      }
    })
    return {
      pid: child.pid,
      url: `http://127.0.0.1:${serving.has(slot.role) ? port : internalPort}`,
      internalUrl: `http://127.0.0.1:${internalPort}`,
      exited: child.exited,
      isReady: () => own.every(({ isReady }) => isReady),
      stop: () => child.stop(stopGraceMs),
    }
  }
  const { onChange, say } = supervision
  return Supervised.launch({ role: slot.role, start, onChange, say })
}

/** The environment of every role process; what the caller has set wins, except for where the services are. */
export function roleEnvironment(
  options: StartOptions,
  at: Infrastructure,
  given: { env: NodeJS.ProcessEnv; secrets: Record<string, string> },
): Record<string, string> {
  const own = Object.entries(given.env).filter(
    ([name, value]) => value !== undefined && (!name.startsWith('ROOKERY_') || !launcherNames.has(name)),
  )
  return {
    ...memoryEnvironment,
    ROOKERY_DEV_ALLOW_PRIVATE_NETWORK: 'true',
    // Two questions of the readiness probe; a single process leaves its requests to nobody.
    ROOKERY_HTTP_STOP_DELAY_MS: options.stack ? '2500' : '0',
    ROOKERY_HTTP_DRAIN_MS: '5000',
    ROOKERY_LOG_LEVEL: 'info',
    ...(Object.fromEntries(own) as Record<string, string>),
    ...given.secrets,
    // NOTE: the port of an inspector is fixed unless told otherwise, and only one process could have it.
    ...(options.profile && { NODE_OPTIONS: `${given.env['NODE_OPTIONS'] ?? ''} --inspect-port=0` }),
    ROOKERY_DATABASE_URL: at.roleUrls.database,
    ROOKERY_REDIS_URL: at.roleUrls.redis,
    ROOKERY_PLC_URL: at.plcUrl,
    ROOKERY_MAIL_URL: given.env['ROOKERY_MAIL_URL'] ?? at.smtpUrl,
    ROOKERY_LIMITS_RATE: options.rateLimits ? 'true' : 'false',
    ROOKERY_EVENTS_RETENTION_MS: String(options.retentionMs),
    ROOKERY_HTTP_ADDRESS: '127.0.0.1',
    ROOKERY_HTTP_TRUSTED_PROXIES: '127.0.0.1,::1',
    ...blobEnvironment(at.s3),
  }
}

/** Read by the launcher or the tests, unknown to the roles. */
const launcherNames = new Set(['ROOKERY_STACK', 'ROOKERY_TEST_DATABASE_URL', 'ROOKERY_TEST_REDIS_URL'])

function blobEnvironment(s3: Infrastructure['s3']): Record<string, string> {
  if (s3.driver === 'disk') return { ROOKERY_BLOBS_DRIVER: 'disk', ROOKERY_BLOBS_DIRECTORY: s3.directory }
  return {
    ROOKERY_BLOBS_DRIVER: 's3',
    ROOKERY_BLOBS_S3_ENDPOINT: s3.endpoint,
    ROOKERY_BLOBS_S3_REGION: s3.region,
    ROOKERY_BLOBS_S3_BUCKET: s3.bucket,
    ROOKERY_BLOBS_S3_ACCESS_KEY_ID: s3.accessKeyId,
    ROOKERY_BLOBS_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    ROOKERY_BLOBS_S3_PATH_STYLE: 'true',
  }
}
