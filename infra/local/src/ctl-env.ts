/** The settings of a running stack for the operator's command line: `pnpm ctl` reads `.local/ctl.env`. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Returns the ROOKERY_ settings in the format that `node --env-file` reads. */
export function formatEnvFile(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .filter(([name]) => name.startsWith('ROOKERY_'))
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('')
}

/** Writes the file in one step. */
export function writeCtlEnv(dir: string, env: Readonly<Record<string, string>>): void {
  const file = join(dir, 'ctl.env')
  // NOTE: it holds passwords and keys.
  writeFileSync(`${file}.new`, formatEnvFile(env), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Takes the file away: there is no stack. */
export function removeCtlEnv(dir: string): void {
  rmSync(join(dir, 'ctl.env'), { force: true })
}

/** The format knows no escapes: a value may hold two of the three kinds of quotes, but not all. */
function quote(value: string): string {
  const mark = ["'", '"', '`'].find((candidate) => !value.includes(candidate)) ?? "'"
  return `${mark}${value}${mark}`
}
