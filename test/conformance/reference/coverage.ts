/** What proves that we behave as the reference PDS's own test suite demands, case by case. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { type TestCase, testCases } from '../../support/test-cases.ts'

/** The root of the project. */
export const projectDir = resolve(import.meta.dirname, '../../..')

/** The reference's tests, as npm brings them: read, never run. */
const referenceTestsDir = join(projectDir, 'test/node_modules/@atproto/pds/tests')
const dataDir = join(import.meta.dirname, 'cases')

/** What became of one case of the reference. */
export type Coverage =
  /**
   * Tests of ours, each `<path> › <name>`; the groups in the name may be left out where the title is unique. The
   * note says in what we differ on purpose.
   */
  | { tests: string[]; note?: string }
  /** Why it does not concern Rookery. */
  | { notApplicable: string }
  /** What the reference does wrong, and the requirement of the specification that says so. */
  | { referenceIsWrong: string; spec: string; tests: string[] }
  /** What has to exist first. */
  | { pending: string }

/** By test file of the reference, by the name of the case. */
export type CoverageTable = Map<string, Map<string, Coverage>>

/** Reads the table: one file of data for each test file of the reference. */
export function readCoverage(): CoverageTable {
  return new Map(
    globSync('**/*.json', { cwd: dataDir })
      .sort()
      .map((file) => [
        file.replace(/\.json$/, '.test.ts'),
        new Map(
          Object.entries(JSON.parse(readFileSync(join(dataDir, file), 'utf8')) as Record<string, Coverage>),
        ),
      ]),
  )
}

/**
 * Returns the names of the reference's cases, by its test file.
 *
 * @throws {Error} if the release is not installed.
 */
export function referenceCases(): Map<string, string[]> {
  if (!existsSync(referenceTestsDir)) {
    throw new Error(`the tests of @atproto/pds are not in ${referenceTestsDir}: run pnpm install`)
  }
  return new Map(
    globSync('**/*.test.ts', { cwd: referenceTestsDir })
      .sort()
      .map((file) => {
        const text = readFileSync(join(referenceTestsDir, file), 'utf8')
        return [file, testCases(file, text).map(({ name }) => name)]
      }),
  )
}

/** The version of the reference whose tests are read. */
export function referenceVersion(): string {
  const manifest = JSON.parse(readFileSync(join(referenceTestsDir, '../package.json'), 'utf8')) as {
    version: string
  }
  return manifest.version
}

/** Says which of two lists of cases the other lacks, with what to do. */
export function unlistedCases(reference: ReadonlyMap<string, string[]>, table: CoverageTable): string[] {
  const missing = [...reference].flatMap(([file, names]) =>
    names
      .filter((name) => table.get(file)?.has(name) !== true)
      .map((name) => `${file} › ${name}: map it to a test of ours or give a reason`),
  )
  const gone = [...table].flatMap(([file, cases]) =>
    [...cases.keys()]
      .filter((name) => reference.get(file)?.includes(name) !== true)
      .map((name) => `${file} › ${name} is no case of the reference: remove it`),
  )
  return [...missing, ...gone]
}

/** Says which entries say nothing, or name a test of ours that is not there. */
export function brokenEntries(table: CoverageTable, readFile = readProjectFile): string[] {
  const read = new Map<string, TestCase[]>()
  const testsOf = (path: string): TestCase[] => {
    const known = read.get(path)
    if (known !== undefined) return known
    const text = readFile(path)
    const found = text === undefined ? [] : testCases(path, text)
    read.set(path, found)
    return found
  }
  return [...table].flatMap(([file, cases]) =>
    [...cases].flatMap(([name, coverage]) =>
      problemsOf(coverage, testsOf).map((problem) => `${file} › ${name}: ${problem}`),
    ),
  )
}

function problemsOf(coverage: Coverage, testsOf: (path: string) => TestCase[]): string[] {
  const text = Object.values(coverage).filter((value) => typeof value === 'string')
  if (text.some((reason) => reason.length < 3)) return ['the reason is empty']
  if (!('tests' in coverage))
    return text.length === 1 ? [] : ['needs one of tests, notApplicable and pending']
  if (coverage.tests.length === 0) return ['names no test']
  return coverage.tests.flatMap((test) => {
    const { path, name } = splitTest(test)
    const ours = testsOf(path)
    if (ours.some((other) => other.name === name)) return []
    const count = ours.filter(({ title }) => title === name).length
    if (count === 0) return [`${path} has no test “${name}”`]
    return count > 1 ? [`${path} has several tests “${name}”: name the group`] : []
  })
}

/** Splits `<path> › <name>`. */
export function splitTest(test: string): { path: string; name: string } {
  const [path = '', ...name] = test.split(' › ')
  return { path, name: name.join(' › ') }
}

function readProjectFile(path: string): string | undefined {
  const file = join(projectDir, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
