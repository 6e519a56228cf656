import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { SetUpError } from './set-up-error.ts'

/** A program that comes with the system's packages. */
export type SystemProgram = {
  name: string
  /** Its package in Debian and Ubuntu, and in Homebrew; several are separated by spaces. */
  packages: { apt: string; brew: string }
  /** What else its user can do, as the end of a sentence. */
  instead: string
}

/**
 * Finds a program, or installs it with the system's package manager (root or password-less sudo).
 *
 * @throws {SetUpError} if neither works; the message says what to type.
 */
export function ensureProgram({ name, packages, instead }: SystemProgram): string {
  const found = findProgram(name)
  if (found !== undefined) return found
  if (process.platform === 'darwin') {
    throw new SetUpError(`${name} is missing: run \`brew install ${packages.brew}\`${instead}`)
  }
  const advice = `install it (Debian, Ubuntu: apt-get install ${packages.apt})${instead}`
  if (findProgram('apt-get') === undefined) throw new SetUpError(`${name} is missing: ${advice}`)
  const isRoot = process.getuid?.() === 0
  if (!isRoot && findProgram('sudo') === undefined) {
    throw new SetUpError(`${name} is missing, and there is neither root nor sudo to install it: ${advice}`)
  }
  console.error(`${name} is missing: installing it with apt-get`)
  const asRoot = isRoot ? ['apt-get'] : ['sudo', '-n', 'apt-get']
  // NOTE: Debian starts a freshly installed server as a service; RUNLEVEL=1 tells its scripts not to.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  for (const step of [
    ['update'],
    ['install', '--yes', '--no-install-recommends', ...packages.apt.split(' ')],
  ]) {
    const [command = '', ...args] = [...asRoot, ...step]
    const ran = spawnSync(command, args, { env, encoding: 'utf8' })
    if (ran.status === 0) continue
    const lastLines = `${ran.stdout}${ran.stderr}`.trim().split('\n').slice(-3).join(' | ')
    throw new SetUpError(`apt-get ${step[0]} failed (${ran.error?.message ?? lastLines}): ${advice}`)
  }
  const installed = findProgram(name)
  if (installed === undefined) throw new SetUpError(`${name} is missing after its installation: ${advice}`)
  return installed
}

/** Full path of a program, looked for on PATH and in the places where system packages put servers. */
function findProgram(name: string): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(':'),
    '/usr/bin',
    '/usr/sbin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ]
  return folders.map((folder) => join(folder, name)).find((path) => path.startsWith('/') && existsSync(path))
}
