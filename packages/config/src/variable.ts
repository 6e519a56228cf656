import type { z } from 'zod'

/** Kinds of process that read configuration; `all` is every one of them. */
export type Role = 'all' | 'api' | 'firehose' | 'sequencer' | 'worker' | 'ctl'

/** One environment variable: its name, what it means, and how its text becomes a value. */
export type Variable<T = unknown> = {
  /** `ROOKERY_<AREA>_<NAME>`. */
  env: string
  /** One or two sentences for an operator, with the unit. */
  description: string
  /** Turns the text into the value and refuses bad text with a message for the operator. */
  schema: z.ZodType<T>
  /** The text that stands in when the variable is unset; without it the variable is required. */
  default?: string | null
  /** Which roles read it. */
  roles: readonly Role[]
  /** Never printed. */
  secret?: boolean
}

/** Declares a variable that must be set. */
export function required<T>(variable: Omit<Variable<T>, 'default'>): Variable<T> {
  return variable
}

/** Declares a variable with the text that stands in when it is unset. */
export function defaulted<T>(variable: Variable<T> & { default: string }): Variable<T> {
  return variable
}

/** Declares a variable that may stay unset: its value is then undefined. */
export function optional<T>(variable: Omit<Variable<T>, 'default'>): Variable<T | undefined> {
  return { ...variable, schema: variable.schema, default: null }
}
