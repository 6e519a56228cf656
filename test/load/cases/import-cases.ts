import { Meter, measureLoad } from '../closed-loop.ts'
import { repoCar } from '../fixtures/car.ts'
import { importRequest } from '../fixtures/fixtures.ts'
import { percentile } from '../statistics.ts'
import type { BenchCase } from './bench-case.ts'
import { writePaced } from './paced.ts'

/** What others do during an import: this many createRecord per second, each late one as soon as it can. */
const othersPerSecond = 20
const othersConnections = 4

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
    measure: async (context) => {
      const { system, fixtures } = context
      const account = await fixtures.freshAccount()
      await fixtures.deactivate(account)
      const request = importRequest(account, repoCar(account.did, records))
      const idleCpuMs = await cpuMsOfOthersAlone(context)
      const stop = new AbortController()
      const others = writePaced(context, {
        perSecond: othersPerSecond,
        connections: othersConnections,
        signal: stop.signal,
      })
      const next = () => ({ request })
      const measurement = await measureLoad({ system, concurrency: 1, extent: { operations: 1 }, next })
      stop.abort()
      const waits = (await others).latenciesMs.sort((a, b) => a - b)
      return {
        ...measurement,
        // What the others would have cost anyway is not the import's.
        cpuMsPerOp: measurement.cpuMsPerOp - idleCpuMs * (1_000 / measurement.opsPerSec),
        bytesPerSec: request.body.length * measurement.opsPerSec,
        notes: {
          othersP50Ms: percentile(waits, 0.5),
          othersP99Ms: percentile(waits, 0.99),
          othersMaxMs: waits.at(-1) ?? Number.NaN,
        },
      }
    },
  }
}

/** CPU milliseconds that the others cost per millisecond of time, without an import. */
async function cpuMsOfOthersAlone(context: Parameters<BenchCase['measure']>[0]): Promise<number> {
  const meter = new Meter(context.system)
  await writePaced(context, {
    perSecond: othersPerSecond,
    connections: othersConnections,
    signal: new AbortController().signal,
    operationsMax: othersPerSecond,
  })
  const { cpuMs, elapsedMs } = meter.stop(1)
  return cpuMs / elapsedMs
}
