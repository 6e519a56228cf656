/**
 * Child processes that end with their parent.
 *
 * Each child runs under a tiny `sh` guard that holds the read end of a pipe from this process. When this process
 * dies, however it dies, the pipe closes and the guard asks the child to stop, then kills it. The child is in its
 * own session, so Ctrl-C in a terminal reaches only the parent, which can then stop its children in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { once } from 'node:events'

import { SetUpError } from './set-up-error.ts'

/** Seconds between the polite signal and SIGKILL when the parent is gone. */
const orphanGraceSeconds = 15

// $1: signal that stops the child politely, $2: seconds until SIGKILL, the rest: the command.
// NOTE: the inner `read` ends at the parent's death; the pid goes out on descriptor 3 before anything else.
// It travels in a variable, so that a list of processes shows the command and not the script.
const guardScript = `
unset ROOKERY_GUARD
signal=$1; grace=$2; shift 2
exec 4<&0
"$@" </dev/null 3>&- 4<&- &
child=$!
echo "$child" >&3
exec 3>&-
(
  exec >/dev/null 2>&1
  read -r line <&4
  kill -s "$signal" "$child"
  while [ "$grace" -gt 0 ]; do sleep 1; grace=$((grace - 1)); done
  kill -s KILL "$child"
) &
watch=$!
exec 4<&-
wait "$child"; code=$?
kill "$watch" 2>/dev/null; wait "$watch" 2>/dev/null
exit "$code"`

/** How to run a guarded child. */
export type GuardedOptions = {
  command: string
  args: readonly string[]
  cwd?: string
  /** The whole environment of the child. Default: this process's. */
  env?: NodeJS.ProcessEnv
  /** Run as this user; only root may ask for it. */
  user?: { uid: number; gid: number }
  /** Standard output and error are appended to this file. */
  logFile: string
  /** What asks the child to stop. Default SIGTERM. */
  stopSignal?: 'SIGTERM' | 'SIGINT'
}

/** A running child. */
export type GuardedProcess = {
  /** Process id of the command itself, not of its guard. */
  readonly pid: number
  /** Resolves with the exit code (128 + signal when killed) when the command has ended; never rejects. */
  readonly exited: Promise<number>
  /** Asks the child to stop, kills it after `graceMs` (default 10,000); resolves when it has ended. Idempotent. */
  stop(graceMs?: number): Promise<void>
}

/**
 * Starts a command under a guard; resolves as soon as it has a process id.
 *
 * @throws {SetUpError} if it cannot be started at all.
 */
export async function spawnGuarded(options: GuardedOptions): Promise<GuardedProcess> {
  const stopSignal = options.stopSignal ?? 'SIGTERM'
  const log = openSync(options.logFile, 'a', 0o644)
  let guard: ChildProcess
  try {
    guard = spawn(
      '/bin/sh',
      [
        '-c',
        'eval "$ROOKERY_GUARD"',
        'rookery-guard',
        stopSignal.slice(3),
        String(orphanGraceSeconds),
        options.command,
        ...options.args,
      ],
      {
        cwd: options.cwd ?? '/',
        env: { ...(options.env ?? process.env), ROOKERY_GUARD: guardScript },
        ...options.user,
        detached: true,
        stdio: ['pipe', log, log, 'pipe'],
      },
    )
  } finally {
    closeSync(log)
  }
  guard.stdin?.on('error', () => undefined)
  // NOTE: listened for before anything is awaited: a command may end while its process id is still on its way.
  const guardExited = new Promise<number | null>((resolve) => guard.once('exit', resolve))
  const pid = await readPid(guard, options.command)
  return guardedProcess({ guard, guardExited, pid, stopSignal })
}

async function readPid(guard: ChildProcess, command: string): Promise<number> {
  const failed = once(guard, 'error').then(([error]) => {
    throw new SetUpError(`${command} could not be started`, { cause: error })
  })
  const pipe = guard.stdio[3] as NodeJS.ReadableStream
  pipe.setEncoding('utf8')
  const reading = (async () => {
    let text = ''
    for await (const part of pipe) text += String(part)
    return Number.parseInt(text, 10)
  })()
  const pid = await Promise.race([reading, failed])
  if (!Number.isInteger(pid)) throw new SetUpError(`${command} could not be started: its guard ended at once`)
  return pid
}

function guardedProcess(started: {
  guard: ChildProcess
  guardExited: Promise<number | null>
  pid: number
  stopSignal: NodeJS.Signals
}): GuardedProcess {
  const { guard, guardExited, pid, stopSignal } = started
  let ended = false
  const exited = guardExited.then((code) => {
    ended = true
    // NOTE: a guard that was itself killed leaves its child behind; without a guard it must not live on.
    if (code === null) tryKill(pid, 'SIGKILL')
    guard.stdin?.destroy()
    return code ?? 128
  })
  const stop = async (graceMs = 10_000): Promise<void> => {
    if (ended) return
    tryKill(pid, stopSignal)
    const timer = setTimeout(() => tryKill(pid, 'SIGKILL'), graceMs)
    await exited
    clearTimeout(timer)
  }
  return { pid, exited, stop }
}

/** Sends a signal; false when no such process is there to receive it. */
export function tryKill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}
