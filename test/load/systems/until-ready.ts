import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { BenchError } from '../bench-error.ts'

/** Resolves when the check first answers true; an error of the check means not yet. @throws {BenchError} if it never does. */
export async function untilReady(
  check: () => boolean | Promise<boolean>,
  options: { what: string; timeoutMs: number; giveUp?: () => boolean },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs
  for (;;) {
    const isReady = await Promise.resolve()
      .then(check)
      .catch(() => false)
    if (isReady) return
    if (options.giveUp?.() === true) throw new BenchError(`${options.what} ended before it was ready`)
    if (performance.now() > deadline) {
      throw new BenchError(`${options.what} was not ready after ${options.timeoutMs} ms`)
    }
    await sleep(50)
  }
}

/** A free port whose successor is free too. */
export async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
