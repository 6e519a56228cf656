import type { Database } from '@rookery/db'
import type { JobProcessor } from '@rookery/jobs'
import { type RequestMailDeps, answerPasswordReset } from '@rookery/mail'

type Deps = Pick<RequestMailDeps, 'directory'> & { db: Pick<Database, 'pool'>; wakeWorkers: () => void }

/** Finds whose address a new password was asked for, and mails the account the token for it. */
export function passwordReset(deps: Deps): JobProcessor<'password-reset'> {
  const { db, directory, wakeWorkers } = deps
  return async ({ payload }) => {
    await answerPasswordReset({ tx: db.pool, directory }, payload)
    wakeWorkers()
  }
}
