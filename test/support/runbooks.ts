import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Returns the runbook of each alert, as docs/operations.md has it under its name. */
export function readRunbooks(): { name: string; text: string }[] {
  const operations = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/operations.md'), 'utf8')
  const sections = operations.slice(operations.indexOf('## Alerts'), operations.indexOf('\n## Jobs'))
  return [...sections.matchAll(/^### (\w+)\n\n(.+)$/gm)].map(([, name = '', text = '']) => ({ name, text }))
}
