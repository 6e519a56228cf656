/** PostgreSQL refuses to run as root: this finds another user for it, and a place which that user can reach. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { SetUpError } from './set-up-error.ts'

/** Where root keeps what an unprivileged user must reach when the project's own folder is closed to that user. */
const sharedHome = '/var/lib/rookery'

/** A system user. */
export type SystemUser = { name: string; uid: number; gid: number }

/** The user to run PostgreSQL as: undefined when this process is not root and can run it itself. */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const user = findUser('postgres') ?? findUser('nobody') ?? createUser('rookery')
  if (user === undefined) {
    throw new SetUpError(
      'PostgreSQL does not run as root and no other user is there: create one (useradd --system postgres), or run as an ordinary user',
    )
  }
  return user
}

function findUser(name: string): SystemUser | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [entry, , uid, gid] = line.split(':')
    if (entry === name && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

function createUser(name: string): SystemUser | undefined {
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', name])
  return findUser(name)
}

/**
 * A folder for `name` that the user owns and can reach: inside `dir` when possible, else under /var/lib/rookery,
 * named after `dir` so that the next start finds it again.
 *
 * @throws {SetUpError} if neither place can be used.
 */
export function reachableFolder(dir: string, name: string, user: SystemUser | undefined): string {
  const inside = join(dir, name)
  mkdirSync(dir, { recursive: true })
  if (user === undefined) {
    mkdirSync(inside, { recursive: true, mode: 0o700 })
    return inside
  }
  if (canTraverse(dir, user)) return ownedFolder(inside, user)
  const hash = createHash('sha256').update(dir).digest('hex').slice(0, 16)
  const outside = join(sharedHome, hash)
  mkdirSync(outside, { recursive: true })
  chmodSync(sharedHome, 0o755)
  chmodSync(outside, 0o755)
  if (!canTraverse(outside, user)) {
    throw new SetUpError(
      `the user ${user.name} can reach neither ${dir} nor ${outside}: make one of them traversable (chmod a+x on it and its parents)`,
    )
  }
  return ownedFolder(join(outside, name), user)
}

function ownedFolder(path: string, user: SystemUser): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (statSync(path).uid !== user.uid) chownSync(path, user.uid, user.gid)
  return path
}

function canTraverse(dir: string, user: SystemUser): boolean {
  const asUser = { uid: user.uid, gid: user.gid, cwd: '/' }
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'test', dir], asUser).status === 0
}

/** The folder shared by all checkouts of this machine, for copies of programs; only root uses it. */
export function sharedFolder(name: string): string {
  const path = join(sharedHome, name)
  mkdirSync(sharedHome, { recursive: true })
  chmodSync(sharedHome, 0o755)
  return path
}
