import type { DeviceData, DeviceId, DeviceStore, SessionId } from '@atproto/oauth-provider/store'
import { type Database, inTransaction } from '@rookery/db'

type Row = { session_id: string; user_agent: string | null; ip_address: string; last_seen_at: Date }

/** The browsers that came to a host's sign-in pages, in PostgreSQL. */
export class PgDeviceStore implements DeviceStore {
  readonly #db: Pick<Database, 'pool'>
  readonly #hostId: number

  constructor(db: Pick<Database, 'pool'>, hostId: number) {
    this.#db = db
    this.#hostId = hostId
  }

  async createDevice(id: DeviceId, data: DeviceData): Promise<void> {
    await this.#db.pool.query(
      `insert into oauth_device (host_id, id, session_id, user_agent, ip_address, last_seen_at)
       values ($1, $2, $3, $4, $5, $6)`,
      [this.#hostId, id, data.sessionId, data.userAgent, data.ipAddress, data.lastSeenAt],
    )
  }

  async readDevice(id: DeviceId): Promise<DeviceData | null> {
    const { rows } = await this.#db.pool.query<Row>(
      `select session_id, user_agent, ip_address, last_seen_at from oauth_device where host_id = $1 and id = $2`,
      [this.#hostId, id],
    )
    return rows[0] === undefined ? null : toDeviceData(rows[0])
  }

  async updateDevice(id: DeviceId, data: Partial<DeviceData>): Promise<void> {
    const { sessionId = null, userAgent = null, ipAddress = null, lastSeenAt = null } = data
    await this.#db.pool.query(
      `update oauth_device
          set session_id = coalesce($3, session_id), user_agent = coalesce($4, user_agent),
              ip_address = coalesce($5, ip_address), last_seen_at = coalesce($6, last_seen_at)
        where host_id = $1 and id = $2`,
      [this.#hostId, id, sessionId, userAgent, ipAddress, lastSeenAt],
    )
  }

  async deleteDevice(id: DeviceId): Promise<void> {
    await inTransaction(this.#db.pool, async (tx) => {
      await tx.query('delete from oauth_device_account where host_id = $1 and device_id = $2', [
        this.#hostId,
        id,
      ])
      await tx.query('delete from oauth_device where host_id = $1 and id = $2', [this.#hostId, id])
    })
  }
}

/** Returns a row of `oauth_device` as the provider wants it. */
export function toDeviceData(row: Row): DeviceData {
  return {
    sessionId: row.session_id as SessionId,
    userAgent: row.user_agent,
    ipAddress: row.ip_address,
    lastSeenAt: row.last_seen_at,
  }
}
