import { type NoteFailure, countSignInFailure } from '@rookery/accounts'
import type { Database } from '@rookery/db'
import type { Logger } from '@rookery/telemetry'

/**
 * Returns what counts failed sign-ins. Nobody waits for it: otherwise an answer would take longer where there is such an
 * account.
 */
export function failureNoter({ log, db }: { log: Logger; db: Pick<Database, 'pool'> }): NoteFailure {
  return (account, kind) => {
    countSignInFailure(db, account, kind).catch((error: unknown) =>
      log.warn({ err: error }, 'a failed sign-in was not counted'),
    )
  }
}
