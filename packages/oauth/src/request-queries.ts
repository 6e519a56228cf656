import { hash } from 'node:crypto'

import type {
  Code,
  Did,
  FoundRequestResult,
  RequestData,
  RequestId,
  RequestStore,
  UpdateRequestData,
} from '@atproto/oauth-provider/store'
import type { Database } from '@rookery/db'

type Row = {
  id: string
  did: string | null
  device_id: string | null
  client_id: string
  client_auth: RequestData['clientAuth']
  parameters: RequestData['parameters']
  expires_at: Date
}

/** The bytes that are stored of a code or a refresh token: who reads the table can use neither. */
export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

const fields = 'id, device_id, client_id, client_auth, parameters, expires_at, account_id'

/** A host's authorization requests under way (RFC 9126), in PostgreSQL. */
export class PgRequestStore implements RequestStore {
  readonly #db: Pick<Database, 'pool'>
  readonly #hostId: number

  constructor(db: Pick<Database, 'pool'>, hostId: number) {
    this.#db = db
    this.#hostId = hostId
  }

  async createRequest(id: RequestId, data: RequestData): Promise<void> {
    await this.#db.pool.query(
      `insert into oauth_request (host_id, id, device_id, client_id, client_auth, parameters, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [
        this.#hostId,
        id,
        data.deviceId,
        data.clientId,
        JSON.stringify(data.clientAuth),
        JSON.stringify(data.parameters),
        data.expiresAt,
      ],
    )
  }

  async readRequest(id: RequestId): Promise<RequestData | null> {
    const { rows } = await this.#db.pool.query<Row>(
      `select r.*, a.did from oauth_request r left join account a on a.id = r.account_id
        where r.host_id = $1 and r.id = $2`,
      [this.#hostId, id],
    )
    return rows[0] === undefined ? null : toRequestData(rows[0], null)
  }

  async updateRequest(id: RequestId, data: UpdateRequestData): Promise<void> {
    const { did, code, deviceId, expiresAt, parameters } = data
    await this.#db.pool.query(
      `update oauth_request
          set account_id = case when $3::text is null then account_id
                else (select id from account where host_id = $1 and did = $3) end,
              code_hash = coalesce($4, code_hash),
              device_id = coalesce($5, device_id),
              expires_at = coalesce($6, expires_at),
              parameters = coalesce($7, parameters)
        where host_id = $1 and id = $2`,
      [
        this.#hostId,
        id,
        did ?? null,
        code === undefined || code === null ? null : hashSecret(code),
        deviceId ?? null,
        expiresAt ?? null,
        parameters === undefined ? null : JSON.stringify(parameters),
      ],
    )
  }

  async deleteRequest(id: RequestId): Promise<void> {
    await this.#db.pool.query('delete from oauth_request where host_id = $1 and id = $2', [this.#hostId, id])
  }

  /**
   * The deletion is what makes a code good once: of two pods that are asked at the same time one finds the row. The other
   * one notes that it was shown the code again: `createToken` will have it, or has had it, so that the first one's session
   * ends as well (RFC 6749, 4.1.2).
   */
  async consumeRequestCode(code: Code): Promise<FoundRequestResult | null> {
    const { rows } = await this.#db.pool.query<Row>(
      `with consumed as (delete from oauth_request where host_id = $1 and code_hash = $2 returning ${fields}),
         spent as (insert into oauth_spent_code (host_id, code_hash) select $1, $2 from consumed)
       select c.*, a.did from consumed c left join account a on a.id = c.account_id`,
      [this.#hostId, hashSecret(code)],
    )
    const [row] = rows
    if (row !== undefined) return { requestId: row.id as RequestId, data: toRequestData(row, code) }
    await this.#db.pool.query(
      'update oauth_spent_code set is_replayed = true where host_id = $1 and code_hash = $2',
      [this.#hostId, hashSecret(code)],
    )
    return null
  }
}

/** Returns the parameters that an app pushed under this `request_uri`, or undefined if there are none. */
export async function findPushedParameters(
  db: Pick<Database, 'pool'>,
  hostId: number,
  requestUri: string,
): Promise<RequestData['parameters'] | undefined> {
  const { rows } = await db.pool.query<Pick<Row, 'parameters'>>(
    'select parameters from oauth_request where host_id = $1 and id = $2',
    [hostId, requestId(requestUri)],
  )
  return rows[0]?.parameters
}

/**
 * Notes that an account's owner did what an app had asked for: signed in again, or chose the account. From then on the
 * request is that account's only. Does nothing if the app asked for another account, or the request is another browser's.
 *
 * @param answer.prompts what was done.
 */
export async function answerPrompt(
  db: Pick<Database, 'pool'>,
  hostId: number,
  answer: {
    requestUri: string
    deviceId: string
    account: { did: string; handle: string | null }
    prompts: readonly ('login' | 'select_account')[]
  },
): Promise<void> {
  const { requestUri, deviceId, account, prompts } = answer
  await db.pool.query(
    `update oauth_request
        set parameters = (parameters - 'prompt') || jsonb_build_object('login_hint', $4::text), device_id = $3
      where host_id = $1 and id = $2 and account_id is null and code_hash is null
        and coalesce(device_id, $3) = $3 and parameters ->> 'prompt' = any($6::text[])
        and coalesce(parameters ->> 'login_hint', $4) in ($4, $5)`,
    [hostId, requestId(requestUri), deviceId, account.did, account.handle, prompts],
  )
}

function requestId(requestUri: string): string {
  return requestUri.replace(/^urn:ietf:params:oauth:request_uri:/, '')
}

function toRequestData(row: Row, code: Code | null): RequestData {
  return {
    clientId: row.client_id,
    clientAuth: row.client_auth,
    parameters: row.parameters,
    expiresAt: row.expires_at,
    deviceId: row.device_id as RequestData['deviceId'],
    did: row.did as Did | null,
    code,
  }
}
