/** The reference PDS and its PLC directory, each a process of its own. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { freePort } from '@rookery/local'

import { type Child, startChild, untilListening } from './child.ts'
import { diskBytes } from './disk-bytes.ts'
import type { ReferenceInstall } from './reference-install.ts'
import type { System } from './system.ts'

// NOTE: for the name localhost its OAuth metadata asks for http, and for any other it needs no certificate here.
const hostname = 'pds.test'

/** Life of an access token: fixed in its code. */
const accessTokenMs = 2 * 60 * 60 * 1_000

/** Starts the reference with blobs on disk, limits off and no relay, in a new folder. */
export async function startReference(options: { install: ReferenceInstall; dir: string }): Promise<System> {
  const { dir } = options
  mkdirSync(join(dir, 'blobs'), { recursive: true })
  const [port, plcPort] = [await freePort(), await freePort()]
  const environment = pdsEnvironment({ dir, port, plcPort })
  const plc = await startPart('plc', plcPort, { ...options, environment: baseEnvironment() })
  let pds = await startPart('pds', port, { ...options, environment })
  const server = { port, host: `127.0.0.1:${port}` }
  const restart = async () => {
    await pds.stop()
    pds = await startPart('pds', port, { ...options, environment })
  }
  const processes = () => [{ role: 'pds', pid: pds.pid }]
  return {
    name: 'reference',
    handleSuffix: '.test',
    accessTokenMs,
    firehoseRole: 'pds',
    servers: () => [server],
    firehoses: () => [server],
    processes,
    bystanders: () => [{ role: 'plc', pid: plc.pid }],
    restartServers: restart,
    restartFirehoses: restart,
    storedBytes: () => Promise.resolve(diskBytes(dir) - diskBytes(join(dir, 'blobs'))),
    [Symbol.asyncDispose]: async () => {
      await pds.stop()
      await plc.stop()
    },
  }
}

type PartOptions = { install: ReferenceInstall; dir: string; environment: NodeJS.ProcessEnv }

async function startPart(part: 'pds' | 'plc', port: number, options: PartOptions): Promise<Child> {
  const logFile = join(options.dir, `${part}.log`)
  const child = startChild({
    module: join(import.meta.dirname, 'reference-process.ts'),
    args: [options.install.dir, part, String(port)],
    env: options.environment,
    cwd: options.dir,
    logFile,
  })
  try {
    await untilListening(child, logFile)
  } catch (error) {
    await child.stop()
    throw error
  }
  return child
}

function baseEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = process.env
  return { PATH, HOME, LANG, NODE_ENV: 'production', LOG_ENABLED: 'false' }
}

function pdsEnvironment(at: { dir: string; port: number; plcPort: number }): NodeJS.ProcessEnv {
  return {
    ...baseEnvironment(),
    PDS_HOSTNAME: hostname,
    PDS_PORT: String(at.port),
    PDS_DATA_DIRECTORY: at.dir,
    PDS_BLOBSTORE_DISK_LOCATION: join(at.dir, 'blobs'),
    PDS_BLOBSTORE_DISK_TMP_LOCATION: join(at.dir, 'blobs', 'temporary'),
    PDS_BLOB_UPLOAD_LIMIT: String(100 * 1024 * 1024),
    PDS_MAX_REPO_IMPORT_SIZE: String(100 * 1024 * 1024),
    PDS_DID_PLC_URL: `http://127.0.0.1:${at.plcPort}`,
    PDS_SERVICE_HANDLE_DOMAINS: '.test',
    PDS_INVITE_REQUIRED: 'false',
    PDS_RATE_LIMITS_ENABLED: 'false',
    PDS_CRAWLERS: '',
    PDS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    PDS_JWT_SECRET: randomBytes(32).toString('hex'),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString('hex'),
  }
}
