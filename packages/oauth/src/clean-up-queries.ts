import type { Queryable } from '@rookery/db'

import {
  briefSessionMs,
  cleanUpRows,
  deviceKeepMs,
  requestKeepMs,
  tokenKeepMs,
  usedTokenKeepMs,
} from './limits.ts'

const batches = [
  {
    keepMs: requestKeepMs,
    text: `delete from oauth_request where (host_id, id) in (
      select host_id, id from oauth_request where expires_at < now() - $2 * interval '1 millisecond'
      limit $1 for update skip locked)`,
  },
  {
    keepMs: requestKeepMs,
    text: `delete from oauth_spent_code where (host_id, code_hash) in (
      select host_id, code_hash from oauth_spent_code where spent_at < now() - $2 * interval '1 millisecond'
      limit $1 for update skip locked)`,
  },
  {
    keepMs: tokenKeepMs,
    text: `with gone as (delete from oauth_token where (host_id, id) in (
        select host_id, id from oauth_token where updated_at < now() - $2 * interval '1 millisecond'
        limit $1 for update skip locked) returning chain)
      delete from oauth_used_refresh_token where chain in (select chain from gone)`,
  },
  {
    keepMs: usedTokenKeepMs,
    text: `delete from oauth_used_refresh_token where (host_id, refresh_hash) in (
      select host_id, refresh_hash from oauth_used_refresh_token
      where used_at < now() - $2 * interval '1 millisecond' limit $1 for update skip locked)`,
  },
  {
    keepMs: briefSessionMs,
    text: `delete from oauth_device_account where (host_id, device_id, account_id) in (
      select host_id, device_id, account_id from oauth_device_account
      where not is_kept and authenticated_at < now() - $2 * interval '1 millisecond'
      limit $1 for update skip locked)`,
  },
  {
    keepMs: deviceKeepMs,
    text: `with gone as (delete from oauth_device where (host_id, id) in (
        select host_id, id from oauth_device where last_seen_at < now() - $2 * interval '1 millisecond'
        limit $1 for update skip locked) returning host_id, id)
      delete from oauth_device_account s using gone where s.host_id = gone.host_id and s.device_id = gone.id`,
  },
]

/** Deletes a batch of requests, sessions and browsers whose time is long over. They already do nothing. */
export async function deleteExpiredOAuth(db: Queryable): Promise<void> {
  for (const { text, keepMs } of batches) await db.query(text, [cleanUpRows, keepMs])
}
