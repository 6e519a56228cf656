import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { SetUpError } from './set-up-error.ts'

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Tells whether somebody accepts connections on the port of 127.0.0.1. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/**
 * Resolves when the check first answers true; asks every 20 ms.
 *
 * @throws {SetUpError} with `what` when that takes longer than `timeoutMs`, or at once when `giveUp` says why.
 */
export async function waitUntil(
  check: () => Promise<boolean> | boolean,
  options: { what: string; timeoutMs: number; giveUp?: () => string | undefined },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs
  while (!(await check())) {
    const reason = options.giveUp?.()
    if (reason !== undefined) throw new SetUpError(`${options.what}: ${reason}`)
    if (performance.now() > deadline) {
      throw new SetUpError(`${options.what}: not ready after ${options.timeoutMs} ms`)
    }
    await sleep(20)
  }
}
