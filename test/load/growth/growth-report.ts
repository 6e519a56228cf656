import { markdownTable } from '../report/table.ts'
import { type Measurement, significant } from '../statistics.ts'
import type { TableHealth } from '../systems/database-size.ts'
import type { AccountStep } from './account-growth.ts'
import type { HourChunk } from './hour.ts'
import type { RepoStep } from './repo-growth.ts'

const measured = ['/s', 'CPU-ms', 'p50 ms', 'p99 ms']

const bytesPerMb = 1e6

/** Costs and bytes at each number of accounts. */
export function accountTable(steps: readonly AccountStep[]): string {
  const bytes = ['bytes per empty account', 'its events', 'bytes per record', 'bytes per event']
  const cases = ['createRecord', 'first createRecord', 'getRecord'].flatMap(caseHead)
  const head = ['accounts', 'system', ...bytes, ...cases]
  const rows = steps.map((step) => [
    String(step.accounts),
    step.system,
    ...[step.accountBytes.total, step.accountEventBytes, step.recordBytes.total, step.eventBytes].map(figure),
    ...figures(step.createRecord),
    ...(step.createFirst === undefined ? measured.map(() => '') : figures(step.createFirst)),
    ...figures(step.getRecord),
  ])
  return markdownTable(head, rows)
}

/** Where the bytes of accounts and records are, from the last step. */
export function sizeTable(steps: readonly AccountStep[]): string {
  const last = steps.findLast(({ system }) => system === 'rookery')
  if (last === undefined) return ''
  const accounts = last.accountBytes.byTable
  const records = last.recordBytes.byTable
  const rows = Object.keys({ ...accounts, ...records })
    .map((name) => ({ name, account: accounts[name] ?? 0, record: records[name] ?? 0 }))
    .filter(({ account, record }) => account >= 1 || record >= 1)
    .sort((a, b) => b.account - a.account)
    .map(({ name, account, record }) => [name, figure(account), figure(record)])
  return markdownTable([`at ${last.accounts} accounts`, 'bytes per account', 'bytes per record'], rows)
}

/** Costs by the size of the repo. */
export function repoTable(steps: readonly RepoStep[]): string {
  const head = ['records in the repo', ...caseHead('createRecord'), ...caseHead('getRecord')]
  const rows = steps.map(({ records, createRecord, getRecord }) => [
    String(records),
    ...figures(createRecord),
    ...figures(getRecord),
  ])
  return markdownTable(head, rows)
}

/** An hour of writes, part by part. */
export function hourTable(chunks: readonly HourChunk[]): string {
  const head = [
    'records written',
    ...caseHead('createRecord'),
    'events waiting, most',
    'at the end',
    'open jobs',
    'packs per repo',
    'most packs',
    'database MB',
  ]
  const rows = chunks.map(({ writes, createRecord, backlog, queuedEventsMax, databaseBytes }) => [
    String(writes),
    ...figures(createRecord),
    ...[queuedEventsMax, backlog.queuedEvents, backlog.openJobs].map(figure),
    ...[backlog.packsPerRepo, backlog.packsOfLargest, databaseBytes / bytesPerMb].map(figure),
  ])
  return markdownTable(head, rows)
}

/** Dead rows and the work of autovacuum. */
export function healthTable(tables: readonly TableHealth[]): string {
  const head = ['table', 'MB', 'live rows', 'dead rows', 'updates in place', 'autovacuum runs']
  const rows = tables.map(({ name, bytes, live, dead, vacuums, hotUpdateShare }) => [
    name,
    (bytes / bytesPerMb).toFixed(1),
    ...[live, dead].map(figure),
    hotUpdateShare === null ? '' : `${(100 * hotUpdateShare).toFixed(0)} %`,
    figure(vacuums),
  ])
  return markdownTable(head, rows)
}

function caseHead(name: string): string[] {
  return measured.map((title, n) => (n === 0 ? `${name}${title}` : title))
}

function figures({ opsPerSec, cpuMsPerOp, p50Ms, p99Ms }: Measurement): string[] {
  return [opsPerSec, cpuMsPerOp, p50Ms, p99Ms].map(figure)
}

function figure(value: number): string {
  return String(Math.abs(value) >= 1_000 ? Math.round(value) : significant(value, 3))
}
