import { InvalidGrantError } from '@atproto/oauth-provider/errors'
import type {
  Code,
  CreateTokenData,
  Did,
  NewTokenData,
  RefreshToken,
  TokenData,
  TokenId,
  TokenInfo,
  TokenStore,
} from '@atproto/oauth-provider/store'
import { type Account, accountColumns } from '@rookery/accounts'
import { type Database, inTransaction, statement } from '@rookery/db'

import { toOAuthAccount } from './account.ts'
import { hashSecret } from './request-queries.ts'
import { type LifetimesOf, isSessionOver } from './session-lifetimes.ts'

type TokenRow = {
  token_id: string
  client_id: string
  client_auth: TokenData['clientAuth']
  device_id: string | null
  parameters: TokenData['parameters']
  scope: string
  token_created_at: Date
  updated_at: Date
  expires_at: Date
}

const fields = `t.id as token_id, t.client_id, t.client_auth, t.device_id, t.parameters, t.scope,
  t.created_at as token_created_at, t.updated_at, t.expires_at, a.*`
const from = `from oauth_token t
  cross join lateral (select ${accountColumns} from account where id = t.account_id) a`

// Asked with every request that an app makes.
const byId = statement<TokenRow & Account>(
  'oauth_token_by_id',
  `select ${fields} ${from} where t.host_id = $1 and t.id = $2`,
)

/**
 * A host's OAuth sessions, in PostgreSQL. Of codes and refresh tokens only hashes are stored.
 *
 * Rotation is a compare-and-set on the token's id, which each refresh changes: of two that exchange the same refresh
 * token at the same time, on any pods, one gets the next tokens (SPEC OA-26).
 */
export class PgTokenStore implements TokenStore {
  readonly #db: Pick<Database, 'pool'>
  readonly #lifetimesOf: LifetimesOf
  readonly #host: { id: number; serviceDid: string }

  constructor(
    { db, lifetimesOf }: { db: Pick<Database, 'pool'>; lifetimesOf: LifetimesOf },
    host: { id: number; serviceDid: string },
  ) {
    this.#db = db
    this.#lifetimesOf = lifetimesOf
    this.#host = host
  }

  async createToken(id: TokenId, data: CreateTokenData, refreshToken?: RefreshToken): Promise<void> {
    const { rowCount } = await this.#db.pool.query(
      // Waits for who notes just now that the code was shown again; who does so later finds the session.
      `with spent as (
         select is_replayed from oauth_spent_code where host_id = $1 and code_hash = $9 for update)
       insert into oauth_token (host_id, account_id, id, client_id, client_auth, device_id, parameters, scope,
         code_hash, refresh_hash, created_at, updated_at, expires_at)
       select $1, a.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
         from account a where a.host_id = $1 and a.did = $2
          and not coalesce((select is_replayed from spent), false)`,
      [
        this.#host.id,
        data.did,
        id,
        data.clientId,
        JSON.stringify(data.clientAuth),
        data.deviceId,
        JSON.stringify(data.parameters),
        data.scope,
        data.code === null ? null : hashSecret(data.code),
        refreshToken === undefined ? null : hashSecret(refreshToken),
        data.createdAt,
        data.updatedAt,
        data.expiresAt,
      ],
    )
    if (rowCount === 0) throw new InvalidGrantError('The account is gone, or the code was shown twice')
  }

  async readToken(id: TokenId): Promise<TokenInfo | null> {
    const { rows } = await byId(this.#db.pool, [this.#host.id, id])
    return this.#inTime(rows[0], {})
  }

  async deleteToken(id: TokenId): Promise<void> {
    await this.#db.pool.query(
      `with gone as (delete from oauth_token where host_id = $1 and id = $2 returning chain)
       delete from oauth_used_refresh_token where chain in (select chain from gone)`,
      [this.#host.id, id],
    )
  }

  async rotateToken(
    id: TokenId,
    newId: TokenId,
    newRefreshToken: RefreshToken,
    data: NewTokenData,
  ): Promise<void> {
    await inTransaction(this.#db.pool, async (tx) => {
      const { rows } = await tx.query<{ chain: number; refresh_hash: Buffer | null }>(
        'select chain, refresh_hash from oauth_token where host_id = $1 and id = $2 for update',
        [this.#host.id, id],
      )
      const [current] = rows
      if (current === undefined) throw new InvalidGrantError('The refresh token was just used')
      if (current.refresh_hash !== null) {
        await tx.query(
          'insert into oauth_used_refresh_token (host_id, refresh_hash, chain) values ($1, $2, $3)',
          [this.#host.id, current.refresh_hash, current.chain],
        )
      }
      await tx.query(
        `update oauth_token
            set id = $3, refresh_hash = $4, client_auth = $5, scope = $6, updated_at = $7, expires_at = $8
          where host_id = $1 and id = $2`,
        [
          this.#host.id,
          id,
          newId,
          hashSecret(newRefreshToken),
          JSON.stringify(data.clientAuth),
          data.scope,
          data.updatedAt,
          data.expiresAt,
        ],
      )
    })
  }

  /** One that was exchanged before finds its session too, without the current refresh token: it was replayed. */
  async findTokenByRefreshToken(refreshToken: RefreshToken): Promise<TokenInfo | null> {
    const refreshHash = hashSecret(refreshToken)
    const current = await this.#find('t.refresh_hash = $2', refreshHash)
    if (current !== undefined) return this.#inTime(current, { refreshToken })
    const replayed = await this.#find(
      't.chain = (select chain from oauth_used_refresh_token where host_id = $1 and refresh_hash = $2)',
      refreshHash,
    )
    return this.#toTokenInfo(replayed, {})
  }

  async findTokenByCode(code: Code): Promise<TokenInfo | null> {
    return this.#toTokenInfo(await this.#find('t.code_hash = $2', hashSecret(code)), { code })
  }

  async listAccountTokens(did: Did): Promise<TokenInfo[]> {
    const { rows } = await this.#db.pool.query<TokenRow & Account>(
      `select ${fields} ${from}
        where t.account_id = (select id from account where host_id = $1 and did = $2) order by t.created_at`,
      [this.#host.id, did],
    )
    return rows.flatMap((row) => this.#toTokenInfo(row, {}) ?? [])
  }

  /** Returns the session unless it is over by the rules of the account's tenant. */
  async #inTime(
    row: (TokenRow & Account) | undefined,
    shown: { refreshToken?: RefreshToken },
  ): Promise<TokenInfo | null> {
    const info = this.#toTokenInfo(row, shown)
    if (row === undefined || info === null) return null
    const isRefresh = shown.refreshToken !== undefined
    return isSessionOver(info, await this.#lifetimesOf(row.tenant_id), { isRefresh }) ? null : info
  }

  async #find(condition: string, secret: Buffer): Promise<(TokenRow & Account) | undefined> {
    const { rows } = await this.#db.pool.query<TokenRow & Account>(
      `select ${fields} ${from} where t.host_id = $1 and ${condition}`,
      [this.#host.id, secret],
    )
    return rows[0]
  }

  #toTokenInfo(
    row: (TokenRow & Account) | undefined,
    shown: { code?: Code; refreshToken?: RefreshToken },
  ): TokenInfo | null {
    if (row === undefined) return null
    return {
      id: row.token_id as TokenId,
      account: toOAuthAccount(row, this.#host.serviceDid),
      currentRefreshToken: shown.refreshToken ?? null,
      data: {
        createdAt: row.token_created_at,
        updatedAt: row.updated_at,
        expiresAt: row.expires_at,
        clientId: row.client_id,
        clientAuth: row.client_auth,
        deviceId: row.device_id as TokenData['deviceId'],
        did: row.did as Did,
        parameters: row.parameters,
        details: null,
        code: shown.code ?? null,
        scope: row.scope,
      },
    }
  }
}
