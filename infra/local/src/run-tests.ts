/**
 * `npm test`: the static checks, then all tests, with one closing line. Everything runs even when something failed
 * before it, so that one run shows all that is wrong.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'

import { ensureChromium } from './chromium.ts'
import { ensureRedisServer } from './redis.ts'
import { SetUpError } from './set-up-error.ts'
import { ensureProgram } from './system-program.ts'

const projectDir = resolve(import.meta.dirname, '../../..')

/** What came of a step: counts, and a line for each failure. */
export type Tally = { passed: number; failed: number; skipped: number; failures: string[] }

const checks: Record<string, string[]> = {
  lint: ['oxlint', '--type-aware'],
  format: ['oxfmt', '--check'],
  types: ['tsc', '--noEmit'],
  knip: ['knip'],
}

const suites = ['unit', 'e2e', 'browser', 'chaos']

/** Run only when they are named: they need what `npm test` does not bring. */
const optionalSuites = ['peers']

/** Runs the named checks and suites (default: all but the optional ones) and prints the closing line; true when nothing failed. */
export async function runTests(names: readonly string[]): Promise<boolean> {
  const usual = [...Object.keys(checks), ...suites]
  const known = [...usual, ...optionalSuites]
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new SetUpError(`npm test knows no step ${unknown}: expected ${known.join(', ')}`)
  }
  ensureRedisServer()
  // For test/chaos/alerts.test.ts alone.
  const prometheus = { apt: 'prometheus', brew: 'prometheus' }
  if (names.length === 0 || names.includes('chaos')) {
    ensureProgram({ name: 'prometheus', packages: prometheus, instead: '' })
  }
  if (names.length === 0 || names.includes('browser')) ensureChromium()
  const tallies: Tally[] = []
  for (const name of names.length === 0 ? usual : known.filter((step) => names.includes(step))) {
    console.log(`\n── ${name}`)
    const startedMs = performance.now()
    const check = checks[name]
    const tally = check === undefined ? await runSuite(name) : await runCheck(name, check)
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    console.log(`── ${name}: ${tally.failed === 0 ? 'ok' : 'FAILED'} (${seconds} s)`)
    tallies.push(tally)
  }
  const total = addUp(tallies)
  console.log(closingLines(total))
  return total.failed === 0
}

/** The end of `npm test`: what failed, so that nobody has to look for it in thousands of lines, and the counts last. */
export function closingLines(total: Tally): string {
  const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`
  const counts = `${total.passed} passed, ${total.failed} failed${skipped}`
  return [...total.failures.map((failure) => `FAILED ${failure}`), counts].join('\n')
}

function addUp(tallies: Tally[]): Tally {
  const sum = (key: 'passed' | 'failed' | 'skipped') =>
    tallies.reduce((count, tally) => count + tally[key], 0)
  const failures = tallies.flatMap((tally) => tally.failures)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), failures }
}

async function runCheck(name: string, command: string[]): Promise<Tally> {
  return (await run(command)) === 0
    ? { passed: 1, failed: 0, skipped: 0, failures: [] }
    : { passed: 0, failed: 1, skipped: 0, failures: [name] }
}

async function runSuite(project: string): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), 'rookery-report-'))
  const report = join(dir, 'report.json')
  try {
    const code = await run([
      'vitest',
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ])
    return suiteTally(project, code, report)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The part of vitest's JSON report that is counted. */
type Report = {
  numPassedTests?: number
  numPendingTests?: number
  numTodoTests?: number
  testResults?: ReportedFile[]
}
type ReportedFile = {
  name: string
  status: string
  message?: string
  assertionResults: { status: string; fullName: string; failureMessages?: string[] }[]
}

/**
 * Counts and names what vitest reported. A file that failed without a failed test (it did not load, or its set-up or
 * disposal failed) counts as one failure, and so does a run that failed without any (a crash, an unhandled error).
 */
export function suiteTally(suite: string, code: number, reportFile: string): Tally {
  let report: Report = {}
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report
  } catch {
    console.log('vitest left no report')
  }
  const failures = (report.testResults ?? []).flatMap(fileFailures)
  if (code !== 0 && failures.length === 0) {
    failures.push(`vitest ended with ${code}, though no test failed: see its output above`)
  }
  return {
    passed: report.numPassedTests ?? 0,
    failed: failures.length,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
    failures: failures.map((failure) => `${suite}: ${failure}`),
  }
}

/** A line per failed test of a file; one line when the file failed without any. */
function fileFailures(file: ReportedFile): string[] {
  if (file.status !== 'failed') return []
  const path = relative(projectDir, file.name)
  const failed = file.assertionResults.filter(({ status }) => status === 'failed')
  if (failed.length === 0) return [`${path}: ${firstLine(file.message)}`]
  return failed.map((test) => `${path} > ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`)
}

const firstLine = (message = 'no message') => message.split('\n', 1)[0]

/** Runs a program of node_modules/.bin to its end, with its output on ours; resolves with its exit code. */
function run([program = '', ...args]: string[]): Promise<number> {
  const child = spawn(join(projectDir, 'node_modules/.bin', program), args, {
    cwd: projectDir,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const stop = () => child.kill('SIGTERM')
  process.once('SIGTERM', stop).once('SIGINT', stop).once('disconnect', stop)
  return new Promise((resolve) => {
    const end = (code: number) => {
      process.off('SIGTERM', stop).off('SIGINT', stop).off('disconnect', stop)
      resolve(code)
    }
    child.once('error', () => end(127))
    child.once('exit', (code) => end(code ?? 1))
  })
}
