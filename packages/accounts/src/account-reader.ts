import { GroupRead, type Queryable } from '@rookery/db'

import { findAccountsByDid } from './account-queries.ts'
import type { Account, AccountRef } from './account.ts'

/** Reads accounts for one process, as they are now: those that are asked for at the same time together. */
export class AccountReader {
  readonly #byDid: GroupRead<AccountRef, Account>

  constructor(db: Queryable) {
    this.#byDid = new GroupRead((refs) => findAccountsByDid(db, refs))
  }

  /** Returns the host's account of this DID, whatever its status, or undefined. */
  findByDid(ref: AccountRef): Promise<Account | undefined> {
    return this.#byDid.ask(ref)
  }
}
