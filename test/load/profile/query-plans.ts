/** Plans of statements as they really ran, from auto_explain and the server's log. */
import { readFileSync, statSync } from 'node:fs'

import { queryRows } from '../systems/database.ts'

/** One statement with the plan of its middle execution. */
export type ExplainedQuery = { query: string; plan: string; executions: number; totalMs: number }

/** What auto_explain is told. Nested statements are those within functions. */
const settings = {
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_wal': 'on',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_parameter_max_length': '0',
}

/**
 * Lets the server log plans until `stop`, which returns them, those that took most time first.
 *
 * @param sampleRate share of the statements to explain: explaining is slow.
 */
export async function explainStatements(server: {
  databaseUrl: string
  logFile: string
  sampleRate: number
}): Promise<{ stop(): Promise<ExplainedQuery[]> }> {
  const { databaseUrl, logFile, sampleRate } = server
  const from = statSync(logFile).size
  await configure(databaseUrl, { ...settings, 'auto_explain.sample_rate': String(sampleRate) })
  return {
    stop: async () => {
      await configure(databaseUrl, { 'auto_explain.log_min_duration': '-1' })
      return parsePlans(readFileSync(logFile).subarray(from).toString())
    },
  }
}

async function configure(databaseUrl: string, values: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await queryRows(databaseUrl, `alter system set ${name} = '${value}'`)
  }
  await queryRows(databaseUrl, 'select pg_reload_conf()')
}

/** Reads the plans in a server log. Lines of one message begin with a tab, except the first. */
export function parsePlans(log: string): ExplainedQuery[] {
  const executions = log
    .split(/\n(?!\t)/)
    .flatMap((message) => parseExecution(message) ?? [])
    .sort((a, b) => a.ms - b.ms)
  const byQuery = Map.groupBy(executions, ({ query }) => query)
  return [...byQuery]
    .map(([query, all]) => ({
      query,
      plan: all[Math.floor(all.length / 2)]?.plan ?? '',
      executions: all.length,
      totalMs: all.reduce((sum, { ms }) => sum + ms, 0),
    }))
    .sort((a, b) => b.totalMs - a.totalMs)
}

function parseExecution(message: string): { query: string; plan: string; ms: number } | undefined {
  const [first = '', ...lines] = message.split('\n').map((line) => line.replace(/^\t/, ''))
  const ms = /duration: ([\d.]+) ms {2}plan:$/.exec(first)?.[1]
  const planStart = lines.findIndex((line) => /\(cost=\S+ rows=/.test(line))
  if (ms === undefined || planStart < 0) return undefined
  const query = lines
    .slice(0, planStart)
    .join('\n')
    .replace(/^Query Text: /, '')
  return { query, plan: executedLines(lines.slice(planStart)).join('\n'), ms: Number(ms) }
}

/** Leaves out nodes that never ran, with their details: of a partitioned table that is most of a plan. */
function executedLines(lines: readonly string[]): string[] {
  let skippedIndent = Number.POSITIVE_INFINITY
  return lines.filter((line) => {
    const indent = line.search(/\S/)
    if (indent > skippedIndent) return false
    const isSkipped = line.endsWith('(never executed)')
    skippedIndent = isSkipped ? indent : Number.POSITIVE_INFINITY
    return !isSkipped
  })
}
