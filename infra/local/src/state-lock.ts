import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { tryKill } from './guarded-process.ts'
import { SetUpError } from './set-up-error.ts'

/**
 * Makes sure that one supervisor at a time uses a state folder; the result gives it back.
 *
 * @throws {SetUpError} if another one is running in it.
 */
export function lockState(dir: string): Disposable {
  const file = join(dir, 'supervisor.pid')
  const holder = runningSupervisor(file)
  if (holder !== undefined) {
    throw new SetUpError(
      `${dir} is in use by the stack with pid ${holder}: stop that one, or choose another --dir`,
    )
  }
  writeFileSync(file, `${process.pid}\n`)
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) }
}

function runningSupervisor(file: string): number | undefined {
  let pid: number
  try {
    pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
  } catch {
    return undefined
  }
  if (!Number.isInteger(pid) || pid === process.pid || !tryKill(pid, 0)) return undefined
  try {
    // NOTE: numbers are used again; a stranger with the old one does not hold the folder.
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main.ts')) return undefined
  } catch {
    if (process.platform === 'linux') return undefined
  }
  return pid
}
