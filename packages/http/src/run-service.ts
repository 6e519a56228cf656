import { hostname } from 'node:os'
import { setFlagsFromString } from 'node:v8'

import type { Logger } from '@rookery/telemetry'

/** How much of what a full collection left the heap may grow before the next one, in percent. */
const heapGrowthPercent = 200

/**
 * Runs a process of one role: starts it, waits for SIGTERM or SIGINT, disposes it, and lets the event loop empty.
 * A second signal, or a disposal that outlasts the deadline, ends the process at once with status 1; so does a
 * start that fails, after saying why.
 *
 * @param start starts the role and returns what stops it.
 * @param options.stopMsMax longest time that stopping may take, in milliseconds.
 */
export async function runService(
  log: Logger,
  start: () => Promise<AsyncDisposable>,
  options: { stopMsMax: number },
): Promise<void> {
  // V8's own limit is a few megabytes above a heap that hardly changes, and it counts the bytes of Buffers: a process
  // through which many of them pass would look at its whole heap every second.
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`)
  const signal = nextSignal()
  let service: AsyncDisposable
  try {
    service = await start()
  } catch (error) {
    log.fatal({ err: error }, 'could not start')
    process.exit(1)
  }
  log.info({ machine: hostname() }, 'started')
  log.info({ signal: await signal }, 'stopping')
  const deadline = setTimeout(() => {
    log.error('stopping took too long')
    process.exit(1)
  }, options.stopMsMax)
  deadline.unref()
  void nextSignal().then(() => process.exit(1))
  await service[Symbol.asyncDispose]()
  log.info('stopped')
  // Whatever still holds the loop open after a clean stop is not worth waiting for.
  setTimeout(() => process.exit(0), 1_000).unref()
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const done = (signal: NodeJS.Signals): void => {
      process.off('SIGTERM', done)
      process.off('SIGINT', done)
      resolve(signal)
    }
    process.on('SIGTERM', done)
    process.on('SIGINT', done)
  })
}
