import { type RateLimit, rateBuckets } from './rate-limits.ts'
import type { Variable } from './variable.ts'
import { variables } from './variables.ts'

/** Returns docs/configuration.md: every variable by area, with its default and who reads it. */
export function configurationDocument(): string {
  const sections = Object.entries(variables).map(([area, group]) => {
    const rows = Object.values<Variable>(group).map(row)
    return `## ${area}\n\n| variable | default | read by | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`
  })
  return [
    '# Configuration\n',
    'Generated from `packages/config/src/variables.ts`; do not edit, run `pnpm gen`.\n',
    'Every setting is an environment variable. A process refuses to start when one that it reads is missing or ' +
      'malformed, or when a `ROOKERY_` name is set that nothing reads. Settings of hosts and tenants (names, handle ' +
      'domains, invites, links) live in the database: see `ctl --help`.\n',
    ...sections,
    rateLimits(),
  ].join('\n')
}

function rateLimits(): string {
  const rows = Object.entries<RateLimit>(rateBuckets).map(
    ([bucket, { points, windowMs }]) => `| \`${bucket}\` | ${points}/${windowMs / 1_000} |`,
  )
  return (
    '## Buckets of rate limits\n\nIn points per seconds. Those that end in `-ip` count by address, the others by ' +
    `account.\n\n| bucket | default |\n|---|---|\n${rows.join('\n')}\n`
  )
}

function row(variable: Variable): string {
  const fallback =
    variable.default === undefined
      ? '**required**'
      : variable.default === null
        ? 'unset'
        : code(variable.default)
  const secret = variable.secret === true ? ' Secret.' : ''
  return `| \`${variable.env}\` | ${fallback} | ${variable.roles.join(', ')} | ${variable.description}${secret} |`
}

function code(value: string): string {
  return value === '' ? 'empty' : `\`${value}\``
}
