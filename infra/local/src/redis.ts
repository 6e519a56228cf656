import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'

import { spawnGuarded } from './guarded-process.ts'
import { freePort, waitUntil } from './ports.ts'
import { ensureProgram } from './system-program.ts'

/** What `startRedis` needs to know. */
export type RedisOptions = {
  /** Folder that keeps the data, the log and the password between runs. */
  dir: string
  /** TCP port on 127.0.0.1. Default: a free one. */
  port?: number
  /** False keeps nothing on disk: for tests only. Default true. */
  durable?: boolean
}

/** A running Redis server. */
export type Redis = AsyncDisposable & {
  /** Connection URL, password included. */
  readonly url: string
  /** The same through a Unix socket, cheaper for processes of this machine; `url` where none can be had. */
  readonly localUrl: string
  readonly port: number
  readonly pid: number
  /** Resolves when the server has ended for whatever reason. */
  readonly exited: Promise<number>
  /** Saves what is to be saved and ends. Idempotent. */
  stop(): Promise<void>
}

/**
 * Starts a `redis-server` and resolves when it answers; installs it from the system's packages when it is missing.
 *
 * @throws {SetUpError} if it is missing and cannot be installed, or does not start.
 */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  const program = ensureRedisServer()
  const home = join(options.dir, 'redis')
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const port = options.port ?? (await freePort())
  const password = ensurePassword(home)
  const configFile = join(home, 'redis.conf')
  const socket = socketPath(home)
  writeFileSync(configFile, configuration({ ...options, home, port, password, socket }), { mode: 0o600 })

  const logFile = join(options.dir, 'redis.log')
  const server = await spawnGuarded({ command: program, args: [configFile], cwd: home, logFile })
  let exitCode: number | undefined
  void server.exited.then((code) => (exitCode = code))
  try {
    await waitUntil(() => answersPing(port, password), {
      what: `starting redis-server (log: ${logFile})`,
      timeoutMs: 30_000,
      giveUp: () => (exitCode === undefined ? undefined : `it ended with code ${exitCode}`),
    })
  } catch (error) {
    await server.stop()
    throw error
  }
  const url = `redis://:${password}@127.0.0.1:${port}`
  const localUrl = socket === undefined ? url : `unix://:${password}@localhost${socket}`
  const stop = () => server.stop()
  return { url, localUrl, port, pid: server.pid, exited: server.exited, stop, [Symbol.asyncDispose]: stop }
}

/** Path of the Unix socket; undefined when it is longer than a socket address holds, or would not survive in a URL. */
function socketPath(home: string): string | undefined {
  const path = join(home, 'redis.sock')
  return Buffer.byteLength(path) > 100 || encodeURI(path) !== path ? undefined : path
}

function ensurePassword(home: string): string {
  const file = join(home, 'password')
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}

function configuration(
  of: RedisOptions & { home: string; port: number; password: string; socket: string | undefined },
): string {
  const durable = of.durable ?? true
  return [
    `port ${of.port}`,
    'bind 127.0.0.1',
    ...(of.socket === undefined ? [] : [`unixsocket "${of.socket}"`, 'unixsocketperm 700']),
    `requirepass ${of.password}`,
    `dir "${of.home}"`,
    'save ""',
    `appendonly ${durable ? 'yes' : 'no'}`,
    'maxmemory-policy noeviction',
    'databases 256',
    'daemonize no',
    '',
  ].join('\n')
}

async function answersPing(port: number, password: string): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.setEncoding('utf8')
  socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')))
  try {
    await once(socket, 'connect')
    socket.write(`AUTH ${password}\r\nPING\r\n`)
    let answer = ''
    for await (const part of socket) {
      answer += String(part)
      if (answer.split('\r\n').length > 2) break
    }
    return answer.startsWith('+OK\r\n+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/**
 * Finds `redis-server`, or installs it.
 *
 * @throws {SetUpError} if neither works; the message says what to type.
 */
export function ensureRedisServer(): string {
  return ensureProgram({
    name: 'redis-server',
    packages: { apt: 'redis-server', brew: 'redis' },
    instead: ', or give --redis-url',
  })
}
