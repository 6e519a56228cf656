import { DomainError } from '@rookery/std'

import type { Role, Variable } from './variable.ts'
import { reservedNames, variables } from './variables.ts'

type Areas = typeof variables
type ValueOf<V> = V extends Variable<infer T> ? T : never

/** The validated configuration: `config.<area>.<name>`. */
export type Config = { readonly [A in keyof Areas]: { readonly [N in keyof Areas[A]]: ValueOf<Areas[A][N]> } }

/** Is thrown when the environment is not usable; the message lists every problem, one line each. */
export class InvalidConfigError extends DomainError {
  override readonly name = 'InvalidConfigError'
  readonly code = 'InvalidConfig'
}

/**
 * Returns the configuration that the environment holds, for processes of the given roles.
 *
 * A variable that none of the roles reads takes its default and, when it has none, is left undefined: a firehose
 * process needs no JWT secret.
 *
 * @throws {InvalidConfigError} if a variable is missing, malformed, or has a name that nothing reads.
 */
export function loadConfig(roles: readonly Role[], env: NodeJS.ProcessEnv = process.env): Config {
  const problems = unknownNames(env)
  const config: Record<string, Record<string, unknown>> = {}
  for (const [area, group] of Object.entries(variables)) {
    const values: Record<string, unknown> = {}
    for (const [name, variable] of Object.entries<Variable>(group)) {
      values[name] = read(variable, roles, env, problems)
    }
    config[area] = values
  }
  if (problems.length > 0) {
    throw new InvalidConfigError(
      `The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n` +
        'docs/configuration.md describes every variable.',
    )
  }
  return config as Config
}

function read(
  variable: Variable,
  roles: readonly Role[],
  env: NodeJS.ProcessEnv,
  problems: string[],
): unknown {
  const set = env[variable.env]
  const isRead = variable.roles.includes('all') || variable.roles.some((role) => roles.includes(role))
  const value = set === undefined || set === '' ? variable.default : set
  if (value === null) return undefined
  if (value === undefined) {
    if (isRead) problems.push(`${variable.env} is required: ${variable.description}`)
    return undefined
  }
  const parsed = variable.schema.safeParse(value)
  if (parsed.success) return parsed.data
  const reason = parsed.error.issues[0]?.message ?? 'not usable'
  problems.push(`${variable.env}${variable.secret === true ? '' : `=${JSON.stringify(value)}`}: ${reason}`)
  return undefined
}

function unknownNames(env: NodeJS.ProcessEnv): string[] {
  const known = Object.values(variables).flatMap((group) =>
    Object.values<Variable>(group).map(({ env }) => env),
  )
  return Object.keys(env)
    .filter((name) => name.startsWith('ROOKERY_') && !known.includes(name) && !reservedNames.includes(name))
    .map((name) => `${name} is not a variable that Rookery reads; did you mean ${nearest(name, known)}?`)
}

function nearest(name: string, known: string[]): string {
  return known.reduce((best, candidate) =>
    distance(name, candidate) < distance(name, best) ? candidate : best,
  )
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
