import type { ColumnType, Generated } from 'kysely'

/** A browser that came to a host's sign-in pages. */
export type OAuthDeviceTable = {
  host_id: number
  id: string
  session_id: string
  user_agent: string | null
  ip_address: string
  last_seen_at: Date
}

/** An account that signed in with a browser. */
export type OAuthDeviceAccountTable = {
  host_id: number
  device_id: string
  account_id: number
  created_at: ColumnType<Date, Date | undefined, never>
  authenticated_at: ColumnType<Date, Date | undefined, Date>
  /** Whether the owner wanted to stay signed in there. */
  is_kept: Generated<boolean>
}

/** An authorization request under way; `code_hash` once it was granted. */
export type OAuthRequestTable = {
  host_id: number
  id: string
  account_id: number | null
  device_id: string | null
  client_id: string
  client_auth: ColumnType<unknown, string | null, string | null>
  parameters: ColumnType<unknown, string, string>
  code_hash: Buffer | null
  expires_at: Date
}

/** What an account granted a client before. */
export type OAuthGrantTable = {
  account_id: number
  client_id: string
  scopes: string[]
  created_at: ColumnType<Date, Date | undefined, never>
  updated_at: ColumnType<Date, Date | undefined, Date>
}

/** A session of a client. Its id and refresh token change with each refresh, `chain` does not. */
export type OAuthTokenTable = {
  host_id: number
  account_id: number
  chain: Generated<number>
  id: string
  client_id: string
  client_auth: ColumnType<unknown, string, string>
  device_id: string | null
  parameters: ColumnType<unknown, string, string>
  scope: string
  code_hash: Buffer | null
  refresh_hash: Buffer | null
  created_at: Date
  updated_at: Date
  expires_at: Date
}

/** A refresh token that was exchanged: whoever shows it again ends the session. */
export type OAuthUsedRefreshTokenTable = {
  host_id: number
  refresh_hash: Buffer
  chain: number
  used_at: ColumnType<Date, Date | undefined, never>
}

/** A code that somebody has shown; `is_replayed` once somebody has shown it again. */
export type OAuthSpentCodeTable = {
  host_id: number
  code_hash: Buffer
  is_replayed: Generated<boolean>
  spent_at: ColumnType<Date, Date | undefined, never>
}
