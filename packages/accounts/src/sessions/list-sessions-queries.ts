import type { Queryable } from '@rookery/db'

import { sessionsShownMax } from '../limits.ts'

/** A session of an account: of an app with a password, of an app by OAuth, or of a browser with the sign-in pages. */
export type ListedSession = {
  kind: 'password' | 'app-password' | 'oauth' | 'browser'
  /** The app password's name, the OAuth client, or what the browser calls itself. */
  client: string | null
  started_at: Date
  /** Null: it ends when it is not used for long. */
  expires_at: Date | null
}

/** Returns the account's sessions, the latest first, at most `sessionsShownMax`. */
export async function listSessions(db: Queryable, accountId: number): Promise<ListedSession[]> {
  const { rows } = await db.query<ListedSession>(
    `select case when app_password_name is null then 'password' else 'app-password' end as kind,
            app_password_name as client, created_at as started_at, expires_at
       from refresh_token where account_id = $1 and next_id is null and expires_at > now()
     union all
     select 'oauth', client_id, created_at, expires_at from oauth_token where account_id = $1
     union all
     select 'browser', d.user_agent, s.created_at, null
       from oauth_device_account s join oauth_device d on d.host_id = s.host_id and d.id = s.device_id
      where s.account_id = $1
     order by started_at desc limit $2`,
    [accountId, sessionsShownMax],
  )
  return rows
}
