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

/** A session of an app that signed in with a password. */
export type PasswordSession = {
  id: string
  /** Null for the account's own password. */
  appPassword: string | null
  startedAt: Date
  expiresAt: Date
}

/** Returns the account's sessions that began with a password, the latest first, at most `sessionsShownMax`. */
export async function listPasswordSessions(db: Queryable, accountId: number): Promise<PasswordSession[]> {
  const { rows } = await db.query<PasswordSession>(
    `select id, app_password_name as "appPassword", created_at as "startedAt", expires_at as "expiresAt"
       from refresh_token where account_id = $1 and next_id is null and expires_at > now()
      order by created_at desc limit $2`,
    [accountId, sessionsShownMax],
  )
  return rows
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
