import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { IdleUse } from '../idle-use.ts'
import type { CaseResult } from '../run-cases.ts'
import { significant } from '../statistics.ts'
import { jsonReport } from './json-report.ts'
import type { Machine } from './machine.ts'
import { concurrencyPlot } from './plot.ts'
import { summaryTable } from './summary.ts'
import { markdownTable, resultTable } from './table.ts'

/** Prints the results and keeps them, with the plot, in `dir`. */
export function publish(what: {
  machine: Machine
  results: readonly CaseResult[]
  idle: readonly IdleUse[]
  dir: string
  isJson: boolean
  say: (text: string) => void
}): void {
  const { machine, results, dir, isJson, say } = what
  const json = `${JSON.stringify(jsonReport(machine, results), null, 2)}\n`
  const { cpu, cores, memoryGb, kernel, node, reference } = machine
  const title = `${cpu}, ${cores} cores, ${memoryGb} GB, Linux ${kernel}, Node ${node}, reference ${reference ?? 'not run'}`
  const idle = what.idle.length > 0 ? [idleTable(what.idle)] : []
  const sections = [title, resultTable(results), summaryTable(results), ...idle, '']
  const tables = sections.join('\n\n')
  const plot = concurrencyPlot(results)
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'results.json'), json)
  writeFileSync(
    join(dir, 'details.json'),
    `${JSON.stringify({ ...what, isJson: undefined, say: undefined }, null, 2)}\n`,
  )
  writeFileSync(join(dir, 'results.md'), tables)
  if (plot !== undefined) writeFileSync(join(dir, 'concurrency.svg'), plot)
  if (isJson) process.stdout.write(json)
  const out = isJson ? process.stderr : process.stdout
  out.write(`${tables}\n`)
  say(`kept in ${dir}`)
}

/** Memory and CPU time of each role. */
export function idleTable(idle: readonly IdleUse[]): string {
  const rows = idle.map(({ system, role, memoryMb, cpuMsPerSec }) => [
    system,
    role,
    String(significant(memoryMb, 3)),
    String(significant(cpuMsPerSec, 3)),
  ])
  return markdownTable(['system', 'role', 'memory after the run, MB', 'idle CPU-ms per second'], rows)
}
