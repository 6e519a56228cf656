/** The first fault of a value: where it is, seen from the value, and what is wrong there. */
export type Issue = { path: string; reason: string }

/** Returns the first fault of a value, or undefined if it is valid. Never changes the value. */
export type Check = (value: unknown) => Issue | undefined

/** Returns a fault of the value itself. */
export function issue(reason: string): Issue {
  return { path: '', reason }
}

/** Returns the fault of a part as one of the whole. */
export function within(key: string | number, found: Issue): Issue {
  return { path: `/${key}${found.path}`, reason: found.reason }
}

/** Returns the reason for a value that is none of those allowed; of a long list, the beginning. */
export function oneOf(allowed: ReadonlySet<string | number>): string {
  const text = [...allowed].join('|')
  return `must be one of (${text.length > 1_000 ? `${text.slice(0, 1_000)}…` : text})`
}
