import { type Database, GroupRead, type Queryable, inTransaction } from '@rookery/db'
import { cacheTally, metrics } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

import { type KeySigner, generatePrivateKey, keySigner } from '../crypto/signer.ts'
import { SigningKeyNotFoundError, TooManyReservedKeysError, UnwrapFailedError } from '../errors.ts'
import { reservedKeysMax, signingKeyFreshMs, unwrappedKeysMax } from '../limits.ts'
import type { KeyWrapper } from './key-wrapper.ts'
import {
  type StoredKey,
  type VersionedKey,
  deleteReservedKey,
  findReservedKey,
  findSigningKeys,
  insertNextKey,
  insertReservedKey,
  insertSigningKey,
  promoteNextKey,
  sweepReservedKeys,
} from './signing-key-queries.ts'
import { verifyingSigner } from './verifying-signer.ts'

const tally = cacheTally('signers')

for (const reason of ['unwrap', 'signature']) metrics.add('rookery_signing_failures_total', { reason }, 0)

export type SigningKeysOptions = {
  db: Pick<Database, 'pool'>
  wrapper: KeyWrapper
}

/** A signing key of an account that is about to exist. */
export type NewSigningKey = {
  signer: KeySigner
  /** Stores it as the account's, and gives the reservation up if there was one. */
  store(tx: Queryable, account: { id: number; did: string }): Promise<void>
}

/** An unwrapped key; `readAtMs` is when its row was seen last. */
type KnownSigner = { signer: KeySigner; version: number; readAtMs: number }

/**
 * The accounts' signing keys: wrapped in Postgres, unwrapped for a bounded number of accounts in this process.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions
  readonly #signers = new LRUCache<number, KnownSigner>({ max: unwrappedKeysMax })

  readonly #stored: GroupRead<number, VersionedKey>

  constructor(options: SigningKeysOptions) {
    this.#options = options
    this.#stored = new GroupRead((ids) => findSigningKeys(options.db.pool, ids))
  }

  /** Makes a key; nothing is stored before `store`. */
  create(): NewSigningKey {
    const { privateKey, signer } = this.#generate()
    return {
      signer,
      store: (tx, account) => insertSigningKey(tx, account.id, this.#wrap(privateKey, signer, account.did)),
    }
  }

  /** Returns the key that is reserved for the DID on the host, or makes one. */
  async takeReserved(reserved: { hostId: number; did: string }): Promise<NewSigningKey> {
    const stored = await findReservedKey(this.#options.db.pool, reserved)
    if (stored === undefined) return this.create()
    const privateKey = this.#options.wrapper.unwrap(stored.wrapped, reservedOwner(stored.did_key))
    const signer = this.#checkedSigner(privateKey, stored.did_key)
    return {
      signer,
      store: async (tx, account) => {
        await insertSigningKey(tx, account.id, this.#wrap(privateKey, signer, account.did))
        await deleteReservedKey(tx, { hostId: reserved.hostId, didKey: stored.did_key })
      },
    }
  }

  /**
   * Reserves a key on the host and returns it as did:key; for one DID always the same.
   *
   * @throws {TooManyReservedKeysError} if too many keys are reserved already: with a DID, or without one.
   */
  async reserve(hostId: number, did: string | null): Promise<string> {
    const { privateKey, signer } = this.#generate()
    const wrapped = this.#options.wrapper.wrap(privateKey, reservedOwner(signer.didKey))
    return inTransaction(this.#options.db.pool, async (tx) => {
      const waiting = await sweepReservedKeys(tx, hostId, { withDid: did !== null })
      const known = did === null ? undefined : await findReservedKey(tx, { hostId, did })
      if (known !== undefined) return known.did_key
      if (waiting >= reservedKeysMax) {
        throw new TooManyReservedKeysError('Too many signing keys are reserved, please try again later')
      }
      return insertReservedKey(tx, { hostId, did, did_key: signer.didKey, wrapped })
    })
  }

  /**
   * Returns the account's signer. The key was checked against the public key that is stored beside it; the signer
   * verifies its first signature and a sample of the later ones.
   *
   * @param version the version that the key has at least, for who read it in the repo's head. Without it the key may be
   *   one that was replaced less than `signingKeyFreshMs` ago: good for what nobody keeps.
   * @throws {SigningKeyNotFoundError} if the account has no key here.
   * @throws {UnwrapFailedError} if the stored key is not the account's or was altered.
   */
  async signerFor(account: { id: number; did: string }, version?: number): Promise<KeySigner> {
    const known = this.#signers.get(account.id)
    if (known !== undefined && isUsable(known, version)) {
      tally.hits++
      return known.signer
    }
    tally.misses++
    const stored = await this.#stored.ask(account.id)
    if (stored === undefined) throw new SigningKeyNotFoundError(`${account.did} has no signing key here`)
    const isSame = known?.signer.didKey === stored.did_key
    const signer = isSame ? known.signer : this.#unwrap(stored, account.did)
    this.#signers.set(account.id, { signer, version: stored.version, readAtMs: performance.now() })
    return signer
  }

  /**
   * Returns the key that is to follow the account's, made and stored if there is none.
   *
   * @throws {SigningKeyNotFoundError} if the account has no key here.
   * @throws {UnwrapFailedError} if the stored key is not the account's or was altered.
   */
  async beginRotation(account: { id: number; did: string }): Promise<KeySigner> {
    const { privateKey, signer } = this.#generate()
    const made = this.#wrap(privateKey, signer, account.did)
    const next = await insertNextKey(this.#options.db.pool, account.id, made)
    if (next === undefined) throw new SigningKeyNotFoundError(`${account.did} has no signing key here`)
    return this.#unwrap(next, account.did)
  }

  /** Makes the next key the account's, in a transaction that moves the repo's head; returns its version, undefined if it is not the next one. */
  endRotation(tx: Queryable, accountId: number, didKey: string): Promise<number | undefined> {
    return promoteNextKey(tx, accountId, didKey)
  }

  /** Forgets the account's unwrapped key. */
  forget(accountId: number): void {
    this.#signers.delete(accountId)
  }

  #generate(): { privateKey: Uint8Array; signer: KeySigner } {
    const privateKey = generatePrivateKey()
    return { privateKey, signer: verifyingSigner(keySigner(privateKey)) }
  }

  #wrap(privateKey: Uint8Array, signer: KeySigner, owner: string): StoredKey {
    return { did_key: signer.didKey, wrapped: this.#options.wrapper.wrap(privateKey, owner) }
  }

  #unwrap(stored: StoredKey, owner: string): KeySigner {
    try {
      return this.#checkedSigner(this.#options.wrapper.unwrap(stored.wrapped, owner), stored.did_key)
    } catch (error) {
      metrics.add('rookery_signing_failures_total', { reason: 'unwrap' })
      throw error
    }
  }

  #checkedSigner(privateKey: Uint8Array, didKey: string): KeySigner {
    const signer = keySigner(privateKey)
    if (signer.didKey !== didKey)
      throw new UnwrapFailedError('the unwrapped key is not the one whose public key is stored')
    return verifyingSigner(signer)
  }
}

function isUsable({ version, readAtMs }: KnownSigner, wanted: number | undefined): boolean {
  return wanted === undefined ? performance.now() - readAtMs < signingKeyFreshMs : version >= wanted
}

/** A reserved key may have no DID yet: it is bound to itself. */
function reservedOwner(didKey: string): string {
  return `reserved ${didKey}`
}
