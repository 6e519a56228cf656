import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

import { SetUpError } from '@rookery/local'

/** A process of ours that ends when this one does: it listens for the loss of its channel. */
export type Child = { pid: number; process: ChildProcess; stop(): Promise<void> }

/** How to start one. */
export type ChildOptions = {
  module: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** Standard output and error are appended to this file. */
  logFile: string
}

const stopMsMax = 30_000

/** Starts a module under the running Node.js, with a channel to it. */
export function startChild(options: ChildOptions): Child {
  const log = openSync(options.logFile, 'a', 0o644)
  const child = fork(options.module, options.args, {
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
    execArgv: [],
    stdio: ['ignore', log, log, 'ipc'],
    // NOTE: Ctrl-C in a terminal must reach this process only, which then stops its children in order.
    detached: true,
  })
  closeSync(log)
  if (child.pid === undefined) throw new SetUpError(`${options.module} could not be started`)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async () => {
    if (hasEnded()) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    await ended
    clearTimeout(timer)
  }
  return { pid: child.pid, process: child, stop }
}

/** Resolves when the child sends its first message. @throws {SetUpError} with the end of its log if it ends first. */
export function untilListening(child: Child, logFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.process.once('message', () => resolve())
    child.process.once('exit', (code) =>
      reject(
        new SetUpError(`a process ended with code ${code}; the end of ${logFile}:\n${lastLines(logFile)}`),
      ),
    )
  })
}

/** The last lines of a log. */
export function lastLines(file: string, count = 20): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}
