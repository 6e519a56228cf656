/** The inspector of one Node.js process: just enough of its protocol to record a CPU profile. */
import { readFileSync, readlinkSync, statSync } from 'node:fs'

import { BenchError } from '../bench-error.ts'
import { untilReady } from '../systems/until-ready.ts'
import type { CpuProfile } from './cpu-profile.ts'

/** Time between two samples, in microseconds. */
const samplingMicros = 500

/** How long a process may take to open its inspector, in milliseconds. */
const openMsMax = 5_000

/** Records where a process spends its CPU time until it is stopped. */
export type CpuRecording = { stop(): Promise<CpuProfile> }

/**
 * Makes a process open its inspector; returns its address. Works once for each process: later signals say nothing.
 *
 * @throws {BenchError} if the process does not write the address to its log.
 */
export async function openInspector(pid: number): Promise<string> {
  // NOTE: the process announces a port of its own choice on standard error, which is a file of the stack's.
  const log = readlinkSync(`/proc/${pid}/fd/2`)
  const from = statSync(log).size
  const announced = () => /Debugger listening on (ws:\S+)/.exec(readFileSync(log, 'latin1').slice(from))?.[1]
  process.kill(pid, 'SIGUSR1')
  await untilReady(() => announced() !== undefined, {
    what: `the inspector of process ${pid}`,
    timeoutMs: openMsMax,
  })
  return announced() ?? ''
}

/** Begins to record. @throws {BenchError} if the inspector does not answer. */
export async function recordCpu(address: string): Promise<CpuRecording> {
  const session = await Session.open(address)
  await session.call('Profiler.enable')
  await session.call('Profiler.setSamplingInterval', { interval: samplingMicros })
  await session.call('Profiler.start')
  return {
    stop: async () => {
      const { profile } = (await session.call('Profiler.stop')) as { profile: CpuProfile }
      await session.call('Profiler.disable')
      session.close()
      return profile
    },
  }
}

type Answer = { id: number; result?: unknown; error?: { message: string } }

class Session {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Answer))
    socket.addEventListener('close', () => this.#fail())
  }

  static async open(address: string): Promise<Session> {
    const socket = new WebSocket(address)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new BenchError(`${address} does not answer`)))
    await promise
    return new Session(socket)
  }

  call(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#socket.send(JSON.stringify({ id, method, params }))
    return waiting.promise
  }

  close(): void {
    this.#socket.close()
  }

  #take({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new BenchError(error.message))
  }

  #fail(): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new BenchError('a process ended while it was profiled'))
    }
    this.#waiting.clear()
  }
}
