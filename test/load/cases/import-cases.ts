import { setTimeout as sleep } from 'node:timers/promises'

import { Meter, measureLoad } from '../closed-loop.ts'
import { repoCar } from '../fixtures/car.ts'
import { importRequest } from '../fixtures/fixtures.ts'
import { percentile } from '../statistics.ts'
import type { BenchCase, CaseContext } from './bench-case.ts'
import { type PacedWrites, writePaced } from './paced.ts'

/** What others do during an import: this many createRecord per second, each late one as soon as it can. */
const othersPerSecond = 40
const othersConnections = 4

/** What is done before the first round, so that the processes have compiled their code, and how long it may settle. */
const warmUp = { records: 5_000, writes: 100, settleMs: 1_000 }

/** importRepo, one at a time, while others keep writing. */
export const importCases: BenchCase[] = [
  importCase({ name: 'importRepo10k', records: 10_000, isQuick: true }),
  importCase({ name: 'importRepo50k', records: 50_000, isQuick: false }),
]

function importCase(options: { name: string; records: number; isQuick: boolean }): BenchCase {
  const { name, records, isQuick } = options
  return {
    name,
    params: { records, concurrency: 1, othersPerSecond },
    isQuick,
    quickRounds: 1,
    measure: async (context) => {
      const { system, fixtures, observer } = context
      if (context.timing.isFirstRound) await warmUpFor(context)
      const account = await fixtures.freshAccount()
      await fixtures.deactivate(account)
      const request = importRequest(account, repoCar(account.did, records))
      const cpuMsPerWrite = await cpuMsPerWriteAlone(context)
      const stop = new AbortController()
      const progress: PacedWrites = { latenciesMs: [], acknowledged: new Map() }
      const pace = { perSecond: othersPerSecond, connections: othersConnections }
      const others = writePaced(context, { ...pace, signal: stop.signal, progress })
      const next = () => ({ request })
      const extent = { operations: 1 }
      const measurement = await measureLoad({ system, concurrency: 1, extent, next, observer })
      // Only writes that were answered meanwhile: a server that stalls the others has not done their work either.
      const writesDone = progress.latenciesMs.length
      stop.abort()
      await others
      const waits = progress.latenciesMs.sort((a, b) => a - b)
      return {
        ...measurement,
        cpuMsPerOp: measurement.cpuMsPerOp - cpuMsPerWrite * writesDone,
        notes: {
          othersP50Ms: percentile(waits, 0.5),
          othersP99Ms: percentile(waits, 0.99),
          othersMaxMs: waits.at(-1) ?? Number.NaN,
          othersDone: writesDone,
          othersCpuMsEach: cpuMsPerWrite,
        },
      }
    },
  }
}

async function warmUpFor(context: CaseContext): Promise<void> {
  const { fixtures } = context
  await fixtures.import(await fixtures.freshAccount(), warmUp.records)
  const pace = { perSecond: warmUp.writes, connections: othersConnections, operationsMax: warmUp.writes }
  await writePaced(context, { ...pace, signal: new AbortController().signal })
  await sleep(warmUp.settleMs)
}

/** CPU milliseconds of one of the others' writes at their pace, without an import. */
async function cpuMsPerWriteAlone(context: CaseContext): Promise<number> {
  const meter = new Meter(context.system)
  const operationsMax = 2 * othersPerSecond
  const pace = { perSecond: othersPerSecond, connections: othersConnections, operationsMax }
  await writePaced(context, { ...pace, signal: new AbortController().signal })
  return meter.stop(operationsMax).perOperation.cpuMsPerOp
}
