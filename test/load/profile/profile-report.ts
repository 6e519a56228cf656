import { markdownTable } from '../report/table.ts'
import { significant } from '../statistics.ts'
import { type FunctionTime, functionTimes, moduleTimes } from './cpu-profile.ts'
import type { WindowProfile } from './profiler.ts'
import type { ExplainedQuery } from './query-plans.ts'

/** Lines of each table, and statements whose plan is shown. */
const functionsMax = 30
const functionsMin = 8
const modulesMax = 15
const statementsMax = 25
const plansMax = 10

/** A role with less than this share of the whole CPU time gets short tables. */
const majorShareMin = 0.25

/** Characters of a statement in a table. */
const queryCharsMax = 110

/** The profile of one case as Markdown. Everything is per operation. */
export function profileReport(
  title: string,
  window: WindowProfile,
  plans: readonly ExplainedQuery[],
): string {
  const cpuMs = Object.values(window.cpuMsPerOpByRole).reduce((sum, value) => sum + value, 0)
  const byRole = Map.groupBy(window.processes, ({ role }) => role)
  const sections = [...byRole].map(([role, processes]) => {
    const isMajor = (window.cpuMsPerOpByRole[role] ?? 0) > majorShareMin * cpuMs
    const functions = functionTimes(processes.map(({ profile }) => profile))
    return roleSection({ role, functions, lines: isMajor ? functionsMax : functionsMin }, window)
  })
  return [
    `# ${title}`,
    `${window.operations} operations; CPU-ms per operation from /proc: ${pairs(window.cpuMsPerOpByRole)}.`,
    'Functions: milliseconds per operation on the main thread, sampled; a process that waits for a core counts too.',
    ...sections,
    '## SQL',
    statementTable(window),
    ...plans.slice(0, plansMax).map(planSection),
    '',
  ].join('\n\n')
}

function roleSection(
  { role, functions, lines }: { role: string; functions: FunctionTime[]; lines: number },
  { operations }: WindowProfile,
): string {
  const sum = functions.reduce((total, { selfMs }) => total + selfMs, 0)
  const row = ({ name, place, selfMs, totalMs }: FunctionTime) => [
    share(selfMs, sum),
    figure(selfMs / operations),
    figure(totalMs / operations),
    `${name} ${place}`,
  ]
  const byTotal = functions.toSorted((a, b) => b.totalMs - a.totalMs)
  const isOurs = ({ place }: { place: string }) => /^(packages|apps)\//.test(place)
  return [
    `## ${role}: ${figure(sum / operations)} ms per operation`,
    markdownTable(['self', 'self ms', 'total ms', 'function'], functions.slice(0, lines).map(row)),
    `${role}, functions of this project by total time:`,
    markdownTable(
      ['self', 'self ms', 'total ms', 'function'],
      byTotal.filter(isOurs).slice(0, lines).map(row),
    ),
    `${role}, by package:`,
    markdownTable(
      ['self', 'self ms', 'package'],
      moduleTimes(functions)
        .slice(0, Math.min(lines, modulesMax))
        .map(({ name, selfMs }) => [share(selfMs, sum), figure(selfMs / operations), name]),
    ),
  ].join('\n\n')
}

function statementTable({ statements, operations }: WindowProfile): string {
  const head = [
    'calls/op',
    'ms/op',
    'ms/call',
    'rows/op',
    'hit/op',
    'read/op',
    'dirtied/op',
    'WAL bytes/op',
    'statement',
  ]
  const rows = statements
    .slice(0, statementsMax)
    .map(({ query, toplevel, calls, ms, rows: count, hit, read, dirtied, walBytes }) => [
      ...[calls / operations, ms / operations, ms / calls, count / operations].map(figure),
      ...[hit, read, dirtied, walBytes].map((value) => figure(value / operations)),
      `${toplevel ? '' : '↳ '}${oneLine(query)}`,
    ])
  return `${markdownTable(head, rows)}\n\n↳: within a function; its time is part of the function's call.`
}

function planSection({ query, plan, executions, totalMs }: ExplainedQuery): string {
  const title = `${executions} × ${figure(totalMs / executions)} ms: ${oneLine(query)}`
  return `### ${title}\n\n\`\`\`\n${plan}\n\`\`\``
}

function oneLine(query: string): string {
  const text = query.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim()
  return text.length > queryCharsMax ? `${text.slice(0, queryCharsMax)}…` : text
}

function pairs(values: Record<string, number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${figure(value)}`)
    .join(', ')
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`
}

function figure(value: number): string {
  return String(Math.abs(value) >= 1_000 ? Math.round(value) : significant(value, 3))
}
