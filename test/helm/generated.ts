import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { readRunbooks } from '../support/runbooks.ts'
import { chartDir } from './chart.ts'
import { chartReadme } from './readme.ts'
import { valuesSchema, variablesFile } from './schema.ts'

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`
const read = (name: string) => readFileSync(join(chartDir, name), 'utf8')

/** What each generated file of the chart holds, by its path in it. */
export function generatedFiles(): Record<string, string> {
  return {
    'values.schema.json': json(valuesSchema()),
    'files/variables.generated.json': json(variablesFile()),
    'files/runbooks.generated.json': json(
      Object.fromEntries(readRunbooks().map(({ name, text }) => [name, text])),
    ),
    'README.md': chartReadme(read('README.md'), read('values.yaml')),
  }
}
