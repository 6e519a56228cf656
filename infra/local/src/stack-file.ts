import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where blobs are. */
export type S3Entry =
  | { driver: 'disk'; directory: string }
  | {
      driver: 's3'
      endpoint: string
      region: string
      bucket: string
      accessKeyId: string
      secretAccessKey: string
    }

/** `<dir>/stack.json`: what a program needs to know about a running stack. */
export type StackFile = {
  url: string
  hosts: { hostname: string; url: string; tenant: string }[]
  plcUrl: string
  mailUrl: string
  databaseUrl: string
  redisUrl: string
  s3: S3Entry
  operator: { user: string; password: string }
  adminPassword: string
  /** Every process but the supervisor; any of them may be killed, and is then listed with a new pid. */
  processes: { role: string; pid: number; url?: string; internalUrl?: string }[]
}

/** Writes the file in one step, so that a reader never sees half of it. */
export function writeStackFile(dir: string, stack: StackFile): void {
  const file = join(dir, 'stack.json')
  // NOTE: it holds passwords.
  writeFileSync(`${file}.new`, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Takes the file away: there is no stack. */
export function removeStackFile(dir: string): void {
  rmSync(join(dir, 'stack.json'), { force: true })
}
