/** The reference PDS in a process of its own, with blobs on disk, limits off and no relay. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { freePort } from '@rookery/local'

import { type Child, startChild, untilListening } from '../child.ts'
import type { ReferenceInstall } from './install-reference.ts'

// NOTE: for any other name than localhost it takes its origin for one with https, but needs no certificate here.
const unreachableHostname = 'pds.test'

/** How to start one. */
export type ReferenceOptions = {
  install: ReferenceInstall
  /** Folder for its data and log; made if need be. */
  dir: string
  plcUrl: string
  /** Accounts, which DID documents send to its own origin, are to reach it there. Default false. */
  isReachable?: boolean
  /** Where its mail goes. Default: nowhere. */
  smtpUrl?: string
}

/** A running reference PDS. */
export type Reference = AsyncDisposable & {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Starts the process anew with all data kept. */
  restart(): Promise<void>
}

/** Starts the reference PDS, whose handles end with `.test`. */
export async function startReference(options: ReferenceOptions): Promise<Reference> {
  const { install, dir } = options
  mkdirSync(join(dir, 'blobs'), { recursive: true })
  const port = await freePort()
  // Made once: its secrets outlive a restart, and with them all tokens.
  const environment = pdsEnvironment(options, port)
  const start = () => startReferencePart('pds', { install, dir, port, environment })
  let child = await start()
  return {
    port,
    url: `http://localhost:${port}`,
    get pid() {
      return child.pid
    },
    restart: async () => {
      await child.stop()
      child = await start()
    },
    [Symbol.asyncDispose]: () => child.stop(),
  }
}

/** Starts the reference's PLC directory, with nothing in it, on the port. */
export function startReferencePlc(options: {
  install: ReferenceInstall
  dir: string
  port: number
}): Promise<Child> {
  mkdirSync(options.dir, { recursive: true })
  return startReferencePart('plc', { ...options, environment: baseEnvironment() })
}

async function startReferencePart(
  part: 'pds' | 'plc',
  options: { install: ReferenceInstall; dir: string; port: number; environment: NodeJS.ProcessEnv },
): Promise<Child> {
  const { install, dir, port, environment } = options
  const logFile = join(dir, `${part}.log`)
  const child = startChild({
    module: join(import.meta.dirname, 'reference-process.ts'),
    args: [install.dir, part, String(port)],
    env: environment,
    cwd: dir,
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

function pdsEnvironment(options: ReferenceOptions, port: number): NodeJS.ProcessEnv {
  const { dir, plcUrl, smtpUrl, isReachable = false } = options
  return {
    ...baseEnvironment(),
    PDS_HOSTNAME: isReachable ? 'localhost' : unreachableHostname,
    // Plain HTTP, also to the local directory.
    PDS_DEV_MODE: String(isReachable),
    PDS_PORT: String(port),
    PDS_DATA_DIRECTORY: dir,
    PDS_BLOBSTORE_DISK_LOCATION: join(dir, 'blobs'),
    PDS_BLOBSTORE_DISK_TMP_LOCATION: join(dir, 'blobs', 'temporary'),
    PDS_BLOB_UPLOAD_LIMIT: String(100 * 1024 * 1024),
    PDS_MAX_REPO_IMPORT_SIZE: String(100 * 1024 * 1024),
    PDS_DID_PLC_URL: plcUrl,
    PDS_SERVICE_HANDLE_DOMAINS: '.test',
    PDS_INVITE_REQUIRED: 'false',
    PDS_RATE_LIMITS_ENABLED: 'false',
    PDS_CRAWLERS: '',
    PDS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    PDS_JWT_SECRET: randomBytes(32).toString('hex'),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString('hex'),
    // It keeps preferences only for who has an AppView; nothing is asked of this one.
    ...(isReachable && {
      PDS_BSKY_APP_VIEW_URL: 'http://localhost:1',
      PDS_BSKY_APP_VIEW_DID: 'did:web:appview.example',
    }),
    ...(smtpUrl !== undefined && {
      PDS_EMAIL_SMTP_URL: smtpUrl,
      PDS_EMAIL_FROM_ADDRESS: 'noreply@mail.example',
    }),
  }
}
