import { metrics } from './metrics.ts'

/** Classes of SQLSTATE that say that the server has run out of something, failed to write, or takes no writes. */
const fullStates = /^(53|58|25006|XX001|XX002)/

for (const kind of ['away', 'full']) metrics.add('rookery_database_errors_total', { kind }, 0)

/**
 * Counts a failure that PostgreSQL has met if it is the server's: it is away, or full. Everything else is the
 * statement's, and counted by whoever made it.
 *
 * @param isAway whether the caller knows that the server did not answer.
 */
export function countDatabaseError(error: unknown, isAway = false): void {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (fullStates.test(code)) metrics.add('rookery_database_errors_total', { kind: 'full' })
  else if (isAway) metrics.add('rookery_database_errors_total', { kind: 'away' })
}
