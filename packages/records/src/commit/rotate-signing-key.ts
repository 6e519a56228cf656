import { type Account, appendIdentityEvent } from '@rookery/accounts'
import { type Database, inTransaction } from '@rookery/db'
import type { SigningKeys } from '@rookery/identity'
import { must } from '@rookery/std'
import type { Tid, TidClock } from '@rookery/syntax'

import { notActive } from '../repo-status.ts'
import { lockHead } from '../storage/storage-queries.ts'
import { resignRepo } from './repo-lifecycle.ts'

/** What a rotation takes. */
export type RotateSigningKeyDeps = {
  db: Pick<Database, 'pool'>
  signingKeys: SigningKeys
  clock: TidClock
  /** Makes the DID document name the key; does nothing if it does. The repo is locked meanwhile. */
  publish: (didKey: string) => Promise<void>
}

/**
 * Gives an account another signing key. The key is stored first, so that none that the DID document names is ever lost.
 * Then, while no commit can come between: the DID document changes, #identity tells of it, and a commit without
 * operations is the first that the new key signs (SPEC REP-4, §5). From then on the head says which key must sign, in
 * every process. If it fails half-way, calling it again goes on with the same key.
 *
 * @throws {SigningKeyNotFoundError} if the account has no key here.
 * @throws {RepoNotFoundError} if the account has no repo.
 * @throws whatever `publish` throws; the account then has its old key still, unless the DID document changed all the same.
 */
export async function rotateSigningKey(
  deps: RotateSigningKeyDeps,
  account: Account,
): Promise<{ didKey: string; rev: Tid }> {
  const { db, signingKeys, clock, publish } = deps
  const next = await signingKeys.beginRotation(account)
  return inTransaction(db.pool, async (tx) => {
    const head = await lockHead(tx, account.id)
    if (head === undefined) throw notActive(account.did, undefined)
    await publish(next.didKey)
    const keyVersion = must(
      await signingKeys.endRotation(tx, account.id, next.didKey),
      'another rotation of this key has ended meanwhile',
    )
    await appendIdentityEvent(tx, account)
    const { rev } = await resignRepo(tx, {
      accountId: account.id,
      signerFor: () => Promise.resolve((bytes) => next.sign(bytes)),
      clock,
      event: head.status === 'active' ? 'commit' : 'none',
      keyVersion,
    })
    return { didKey: next.didKey, rev }
  })
}
