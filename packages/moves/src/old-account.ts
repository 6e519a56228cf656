import type { Readable } from 'node:stream'

import type { SecretWrapper } from '@rookery/accounts'
import type { Database } from '@rookery/db'

import { MoveNotFoundError, OldServerRefusedError } from './errors.ts'
import { findMove, replaceOldSession } from './move-queries.ts'
import {
  type OldCall,
  type OldServerDeps,
  type OldSession,
  callOldServer,
  refreshOldSession,
  streamFromOldServer,
} from './old-server.ts'

export type OldAccountDeps = OldServerDeps & { db: Pick<Database, 'pool'>; wrapper: SecretWrapper }

/** The account whose session it is. */
type Mover = { id: number; did: string }

/** An account as its old server knows it: calls with the session that was sealed, and the next one when it is over. */
export class OldAccount {
  readonly #deps: OldAccountDeps
  readonly #account: Mover
  #session: OldSession
  #sealed: Buffer

  private constructor(deps: OldAccountDeps, account: Mover, session: OldSession, sealed: Buffer) {
    this.#deps = deps
    this.#account = account
    this.#session = session
    this.#sealed = sealed
  }

  /**
   * Returns the account at the server that it moves away from.
   *
   * @throws {MoveNotFoundError} if it is not moving.
   */
  static async open(deps: OldAccountDeps, account: Mover): Promise<OldAccount> {
    const move = await findMove(deps.db.pool, account.id)
    if (move === undefined) throw new MoveNotFoundError('This account is not moving here')
    const session = JSON.parse(deps.wrapper.unwrap(move.wrapped, sealOwner(account)).toString()) as OldSession
    return new OldAccount(deps, account, session, move.wrapped)
  }

  /** Calls a method; see `callOldServer`. */
  call(call: OldCall): Promise<unknown> {
    return this.#withSession((token) => callOldServer(this.#deps, this.#session.pdsUrl, { ...call, token }))
  }

  /** Calls a method that answers bytes; see `streamFromOldServer`. */
  stream(call: OldCall): Promise<{ body: Readable; mimeType: string | undefined }> {
    return this.#withSession((token) =>
      streamFromOldServer(this.#deps, this.#session.pdsUrl, { ...call, token }),
    )
  }

  async #withSession<Answer>(work: (token: string) => Promise<Answer>): Promise<Answer> {
    try {
      return await work(this.#session.accessJwt)
    } catch (error) {
      if (!(error instanceof OldServerRefusedError) || error.reason !== 'ExpiredToken') throw error
      await this.#refresh()
      return work(this.#session.accessJwt)
    }
  }

  async #refresh(): Promise<void> {
    this.#session = await refreshOldSession(this.#deps, this.#session)
    const after = sealSession(this.#deps.wrapper, this.#account, this.#session)
    await replaceOldSession(this.#deps.db.pool, this.#account.id, { before: this.#sealed, after })
    this.#sealed = after
  }
}

/** Returns a session with the old server as it is stored. */
export function sealSession(
  wrapper: SecretWrapper,
  account: Pick<Mover, 'did'>,
  session: OldSession,
): Buffer {
  return wrapper.wrap(Buffer.from(JSON.stringify(session)), sealOwner(account))
}

function sealOwner({ did }: Pick<Mover, 'did'>): string {
  return `move ${did}`
}
