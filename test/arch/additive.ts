/**
 * Whether migrations only add: processes of the version before run on the schema while those of this one start, and
 * nobody may wait for long. Every function returns sentences that say what is wrong and what to do.
 */
import type { ProjectFile } from './project-files.ts'

type Rule = { pattern: RegExp; advice: string }

const rules: Rule[] = [
  {
    pattern: /\bdrop\s+(?:table|column|function|index|constraint|trigger|type|view|default)\b/gi,
    advice: 'processes of the version before still need it',
  },
  { pattern: /\brename\s+(?:to|column|constraint)\b/gi, advice: 'add under the new name instead' },
  {
    pattern: /\balter\s+column\s+\w+\s+(?:type|set\s+data|set\s+not\s+null)\b/gi,
    advice: 'add a column and fill it instead',
  },
  {
    pattern: /\badd\s+column\b(?:(?!\bdefault\b|\badd\s+column\b|`)[^])*?\bnot\s+null\b(?!\s+default\b)/gi,
    advice: 'inserts of the version before leave it out: give it a default',
  },
  {
    pattern: /\badd\s+constraint\b(?![^`]*\bnot\s+valid\b)/gi,
    advice: 'it reads the whole table under an exclusive lock: add it as not valid',
  },
  {
    pattern: /\bcreate\s+or\s+replace\s+function\s+\w+/gi,
    advice: 'processes of the version before call it: the same arguments, the same rows, the same meaning',
  },
]

/**
 * Statements that do more than add.
 *
 * @param allowed sentences' beginnings that were looked at, each with the reason why it does no harm.
 */
export function breakingStatements(
  files: readonly ProjectFile[],
  allowed: Readonly<Record<string, string>>,
): string[] {
  return files
    .flatMap(({ path, text }) => {
      const name = path.split('/').at(-1)
      const found = rules.flatMap(({ pattern, advice }) =>
        [...text.matchAll(pattern)].map(([match]) => `${name}: ${match.replaceAll(/\s+/g, ' ')}: ${advice}`),
      )
      return [...found, ...lockingIndexes(text).map((match) => `${name}: ${match}`)]
    })
    .filter((sentence) => !Object.keys(allowed).some((beginning) => sentence.startsWith(beginning)))
}

/** Indexes of tables that were there before, which nobody can write to while they are built. */
function lockingIndexes(text: string): string[] {
  const created = new Set([...text.matchAll(/\bcreate\s+table\s+(\w+)/gi)].map(([, table]) => table))
  return [...text.matchAll(/\bcreate\s+(?:unique\s+)?index\s+(\w+)\s+on\s+(\w+)/gi)]
    .filter(([, , table]) => !created.has(table))
    .map(
      ([, index, table]) =>
        `create index ${index} on ${table}: writes to the table wait until it is built; export it as \`index\` instead of \`up\``,
    )
}
