import { accountCases } from './account-cases.ts'
import type { BenchCase } from './bench-case.ts'
import { blobCases } from './blob-cases.ts'
import { firehoseCases } from './firehose-cases.ts'
import { importCases } from './import-cases.ts'
import { readCases } from './read-cases.ts'
import { throughApi, writeCases } from './write-cases.ts'

/** Cases over the same number of api processes, in the order in which they run. */
export type CaseGroup = { apiCount: number; cases: BenchCase[] }

/** Every case, grouped so that the stack is rarely started anew; those that ask for no number of their own first. */
export function caseGroups(apiCount: number): CaseGroup[] {
  return [
    {
      apiCount,
      // Firehose cases come last: they read what the others wrote.
      cases: [...writeCases, ...readCases, ...accountCases, ...blobCases, ...importCases, ...firehoseCases],
    },
    ...[1, 2, 4].map((count) => ({ apiCount: count, cases: [throughApi(count)] })),
  ]
}

/** The groups with only the chosen cases; groups without any are left out. */
export function chooseCases(options: {
  only: readonly string[]
  isQuick: boolean
  apiCount: number
}): CaseGroup[] {
  const isChosen = (each: BenchCase) =>
    (options.only.length === 0 || options.only.includes(each.name)) && (!options.isQuick || each.isQuick)
  return caseGroups(options.apiCount)
    .map(({ apiCount, cases }) => ({ apiCount, cases: cases.filter(isChosen) }))
    .filter(({ cases }) => cases.length > 0)
}

/** The names of all cases, each once. */
export function caseNames(): string[] {
  return [...new Set(caseGroups(1).flatMap(({ cases }) => cases.map(({ name }) => name)))]
}
