import type { AuthorizedClients, DeviceAccount, DeviceId, Did } from '@atproto/oauth-provider/store'
import { type Account, accountColumns } from '@rookery/accounts'
import { type Database, inTransaction } from '@rookery/db'

import { toOAuthAccount } from './account.ts'
import { toDeviceData } from './device-queries.ts'
import { briefSessionMs } from './limits.ts'
import type { LifetimesOf } from './session-lifetimes.ts'

type Host = { id: number; serviceDid: string }

type Row = Account & {
  device_id: string
  session_id: string
  user_agent: string | null
  ip_address: string
  last_seen_at: Date
  signed_in_at: Date
  authenticated_at: Date
  is_kept: boolean
  clients: { client_id: string; scopes: string[] }[]
}

const select = `select a.*, d.id as device_id, d.session_id, d.user_agent, d.ip_address, d.last_seen_at,
    s.created_at as signed_in_at, s.authenticated_at, s.is_kept,
    coalesce((select json_agg(json_build_object('client_id', g.client_id, 'scopes', g.scopes))
                from oauth_grant g where g.account_id = s.account_id), '[]') as clients
  from oauth_device_account s
  join oauth_device d on d.host_id = s.host_id and d.id = s.device_id
  cross join lateral (select ${accountColumns} from account where id = s.account_id) a`

/** An account as signed in with a browser. */
export type SignedInAccount = DeviceAccount & {
  /** Until when, unless the owner proves to be there again. */
  signedInUntil: Date
}

/** What `Grants` needs. */
export type GrantsDeps = { db: Pick<Database, 'pool'>; lifetimesOf: LifetimesOf }

/** Which browsers an account is signed in with, and which clients it trusts with what: all of one host. */
export class Grants {
  readonly #db: Pick<Database, 'pool'>
  readonly #lifetimesOf: LifetimesOf
  readonly #host: Host

  constructor({ db, lifetimesOf }: GrantsDeps, host: Host) {
    this.#db = db
    this.#lifetimesOf = lifetimesOf
    this.#host = host
  }

  /** Remembers what the account granted the client last, in place of what it granted before. */
  async grant(did: Did, clientId: string, scopes: readonly string[]): Promise<void> {
    await this.#db.pool.query(
      `insert into oauth_grant (account_id, client_id, scopes)
       select id, $3, $4 from account where host_id = $1 and did = $2
       on conflict (account_id, client_id) do update set scopes = excluded.scopes, updated_at = now()`,
      [this.#host.id, did, clientId, scopes],
    )
  }

  /** Returns what the account granted, by client. */
  async listGrants(accountId: number): Promise<AuthorizedClients> {
    const { rows } = await this.#db.pool.query<Row['clients'][number]>(
      'select client_id, scopes from oauth_grant where account_id = $1',
      [accountId],
    )
    return toAuthorizedClients(rows)
  }

  /** Ends every session of a client with the account, what it is about to get, and what the account granted it. */
  async revoke(accountId: number, clientId: string): Promise<void> {
    await inTransaction(this.#db.pool, async (tx) => {
      const values = [this.#host.id, accountId, clientId]
      const ofClient = 'host_id = $1 and account_id = $2 and client_id = $3'
      await tx.query(
        `with gone as (delete from oauth_token where ${ofClient} returning chain)
         delete from oauth_used_refresh_token where chain in (select chain from gone)`,
        values,
      )
      await tx.query(`delete from oauth_request where ${ofClient}`, values)
      await tx.query('delete from oauth_grant where account_id = $1 and client_id = $2', [
        accountId,
        clientId,
      ])
    })
  }

  /**
   * Signs the account in with a browser, or says that it just proved itself again.
   *
   * @param options.isKept whether the owner wants to stay signed in there. Default true.
   */
  async signIn(deviceId: DeviceId, did: Did, { isKept = true }: { isKept?: boolean } = {}): Promise<void> {
    await this.#db.pool.query(
      `insert into oauth_device_account (host_id, device_id, account_id, is_kept)
       select $1, $2, id, $4 from account where host_id = $1 and did = $3
       on conflict (host_id, device_id, account_id) do update
         set authenticated_at = now(), is_kept = excluded.is_kept`,
      [this.#host.id, deviceId, did, isKept],
    )
  }

  /** Signs the account out of a browser. */
  async signOut(deviceId: DeviceId, did: Did): Promise<void> {
    await this.#db.pool.query(
      `delete from oauth_device_account where host_id = $1 and device_id = $2
         and account_id = (select id from account where host_id = $1 and did = $3)`,
      [this.#host.id, deviceId, did],
    )
  }

  /** Returns the account as signed in with the browser, or null. */
  async find(deviceId: DeviceId, did: Did): Promise<SignedInAccount | null> {
    const found = await this.#query('s.device_id = $2 and a.did = $3', [deviceId, did])
    return found[0] ?? null
  }

  /** Returns who is signed in with a browser, or which browsers an account is signed in with. */
  list(filter: { did: Did } | { deviceId: DeviceId }): Promise<SignedInAccount[]> {
    if ('deviceId' in filter) return this.#query('s.device_id = $2', [filter.deviceId])
    return this.#query('s.account_id = (select id from account where host_id = $1 and did = $2)', [
      filter.did,
    ])
  }

  async #query(condition: string, values: readonly string[]): Promise<SignedInAccount[]> {
    const { rows } = await this.#db.pool.query<Row>(
      // One that is barred is signed in nowhere.
      `${select} where s.host_id = $1 and ${condition} and a.status in ('active', 'deactivated')
        order by s.created_at`,
      [this.#host.id, ...values],
    )
    return Promise.all(
      rows.map(async (row) => ({
        deviceId: row.device_id as DeviceId,
        deviceData: toDeviceData(row),
        account: toOAuthAccount(row, this.#host.serviceDid),
        authorizedClients: toAuthorizedClients(row.clients),
        createdAt: row.signed_in_at,
        updatedAt: row.authenticated_at,
        signedInUntil: await this.#until(row),
      })),
    )
  }

  async #until({ tenant_id, authenticated_at, is_kept }: Row): Promise<Date> {
    const { browserMs } = await this.#lifetimesOf(tenant_id)
    return new Date(authenticated_at.getTime() + (is_kept ? browserMs : Math.min(browserMs, briefSessionMs)))
  }
}

function toAuthorizedClients(rows: Row['clients']): AuthorizedClients {
  return new Map(rows.map(({ client_id, scopes }) => [client_id, { authorizedScopes: scopes }]))
}
