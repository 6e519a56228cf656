import { accountCases } from './account-cases.ts'
import type { BenchCase } from './bench-case.ts'
import { blobCases } from './blob-cases.ts'
import { firehoseCases } from './firehose-cases.ts'
import { importCases } from './import-cases.ts'
import { readCases } from './read-cases.ts'
import { apiCountDefault, throughApi, writeCases } from './write-cases.ts'

/** Cases over the same number of api processes, in the order in which they run. */
export type CaseGroup = { apiCount: number; cases: BenchCase[] }

/** Every case, grouped so that the stack is rarely started anew; the default group comes first. */
export const caseGroups: CaseGroup[] = [
  {
    apiCount: apiCountDefault,
    // Firehose cases come last: they read what the others wrote.
    cases: [...writeCases, ...readCases, ...accountCases, ...blobCases, ...importCases, ...firehoseCases],
  },
  ...[2, 1, 4].map((apiCount) => ({ apiCount, cases: [throughApi(apiCount)] })),
]

/** The groups with only the chosen cases; groups without any are left out. */
export function chooseCases(options: { only: readonly string[]; isQuick: boolean }): CaseGroup[] {
  const isChosen = (each: BenchCase) =>
    (options.only.length === 0 || options.only.includes(each.name)) && (!options.isQuick || each.isQuick)
  return caseGroups
    .map(({ apiCount, cases }) => ({ apiCount, cases: cases.filter(isChosen) }))
    .filter(({ cases }) => cases.length > 0)
}

/** The names of all cases, each once. */
export function caseNames(): string[] {
  return [...new Set(caseGroups.flatMap(({ cases }) => cases.map(({ name }) => name)))]
}
