import type { Account } from '@rookery/accounts'
import { cacheTally } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

/** Accounts that one process remembers; an entry is about 200 bytes. */
const knownWritersMax = 50_000

const tally = cacheTally('writers')

/** As much of an account as never changes while it is there. */
export type KnownWriter = Pick<Account, 'id' | 'tenant_id'>

/**
 * Row ids of accounts, by host and DID, so that a write need not ask for what its own statement checks. An entry is a
 * hint: the account may be barred, gone, or here anew under another id. The least recently used is dropped first.
 */
export class KnownWriters {
  readonly #writers = new LRUCache<string, KnownWriter>({ max: knownWritersMax })

  /** Returns what is remembered of the host's account of this DID, or undefined. */
  get(hostId: number, did: string): KnownWriter | undefined {
    const known = this.#writers.get(`${hostId} ${did}`)
    if (known === undefined) tally.misses++
    else tally.hits++
    return known
  }

  /** Remembers an account that was just found. */
  set({ host_id: hostId, did, id, tenant_id }: Account): void {
    this.#writers.set(`${hostId} ${did}`, { id, tenant_id })
  }
}
