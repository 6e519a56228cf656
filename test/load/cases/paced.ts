import { setTimeout as sleep } from 'node:timers/promises'

import { BenchError } from '../bench-error.ts'
import { monotonicMs } from '../firehose/clock.ts'
import { createRecord } from '../fixtures/records.ts'
import type { Connection } from '../http/connection.ts'
import { connections, failureText } from '../http/load-balance.ts'
import { type CaseContext, roundRobin } from './bench-case.ts'

/** What a paced writer has done. */
export type PacedWrites = {
  latenciesMs: number[]
  /** When each record was acknowledged, on the monotonic clock. */
  acknowledged: Map<string, number>
}

/**
 * Creates records at a steady pace until told to stop: the n-th is sent when its time has come, or as soon after as
 * a connection is free. What is answered is added to `progress`, which the caller may read meanwhile.
 */
export async function writePaced(
  { system, fixtures }: CaseContext,
  options: {
    perSecond: number
    connections: number
    signal: AbortSignal
    operationsMax?: number
    progress?: PacedWrites
  },
): Promise<PacedWrites> {
  const account = roundRobin(await fixtures.accounts(16))
  const pool = connections(system, options.connections)
  const done = options.progress ?? { latenciesMs: [], acknowledged: new Map<string, number>() }
  const startMs = monotonicMs()
  let sent = 0
  const lane = async (connection: Connection) => {
    while (!options.signal.aborted && sent < (options.operationsMax ?? Number.POSITIVE_INFINITY)) {
      const dueMs = startMs + (1_000 * sent++) / options.perSecond
      await sleep(Math.max(0, dueMs - monotonicMs()), undefined, { signal: options.signal }).catch(() => {})
      if (options.signal.aborted) return
      const request = createRecord(account(), fixtures.number())
      const sentMs = monotonicMs()
      const response = await connection.send(request)
      const nowMs = monotonicMs()
      if (response.status !== 200) throw new BenchError(failureText(request, response))
      done.latenciesMs.push(nowMs - sentMs)
      const { uri } = JSON.parse(response.body.toString()) as { uri: string }
      done.acknowledged.set(uri.split('/').at(-1) ?? '', nowMs)
    }
  }
  try {
    await Promise.all(pool.map(lane))
    return done
  } finally {
    for (const connection of pool) connection[Symbol.dispose]()
  }
}
