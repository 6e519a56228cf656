import type { Redis, RedisKeys } from '@rookery/redis'
import { type Handle, isHandleTldAllowed } from '@rookery/syntax'
import type { Logger } from '@rookery/telemetry'

import { DidNotFoundError } from '../errors.ts'
import { type DidDocument, toDidDocument } from './did-document.ts'
import { type IdentitySources, fetchDidDocument, fetchHandle } from './fetch-identity.ts'
import { type CacheHit, IdentityCache } from './identity-cache.ts'

export type IdentityResolverOptions = {
  log: Logger
  redis: Pick<Redis, 'get' | 'set' | 'del'>
  keys: Pick<RedisKeys, 'didDocument' | 'handle'>
  sources: IdentitySources
  /** Age from which a cached identity is looked up anew in the background, in milliseconds. */
  cacheStaleMs: number
  /** Age from which a cached identity is not used, in milliseconds. */
  cacheMaxMs: number
}

/**
 * Finds DID documents and what handles name, on the network and in a cache that all processes share.
 *
 * A fresh entry is answered at once; a stale one too, while it is looked up anew; anything else waits for the look-up.
 * Calls at the same time for one identity share one look-up. Only what was found is kept.
 */
export class IdentityResolver {
  readonly #options: IdentityResolverOptions
  readonly #cache: IdentityCache
  readonly #running = new Map<string, Promise<string>>()

  constructor(options: IdentityResolverOptions) {
    this.#options = options
    this.#cache = new IdentityCache(options.redis, {
      staleMs: options.cacheStaleMs,
      maxMs: options.cacheMaxMs,
    })
  }

  /**
   * Returns the DID's document.
   *
   * @param options.refresh asks the network whatever the cache holds.
   * @throws {DidNotFoundError} if there is none, or the method is neither plc nor web.
   * @throws {DidDeactivatedError} if the DID was tombstoned.
   * @throws {DidUnreachableError} if its server does not answer with a document.
   */
  async resolveDid(did: string, options: { refresh?: boolean } = {}): Promise<DidDocument> {
    const { keys, sources } = this.#options
    const text = await this.#through(keys.didDocument(did), options, async () =>
      JSON.stringify(await fetchDidDocument(sources, did)),
    )
    const document = toDidDocument(JSON.parse(text), did)
    if (document === undefined) throw new DidNotFoundError(`DID not found: ${did}`)
    return document
  }

  /**
   * Returns the DID that a handle names by DNS or HTTPS, or undefined. Whether the DID claims the handle is another
   * question.
   *
   * @param options.refresh asks the network whatever the cache holds.
   */
  async resolveHandle(handle: Handle, options: { refresh?: boolean } = {}): Promise<string | undefined> {
    const { keys, sources } = this.#options
    if (!isHandleTldAllowed(handle, { allowTest: sources.allowPrivateNetwork })) return undefined
    const key = keys.handle(handle)
    const did = await this.#through(key, options, async () => (await fetchHandle(sources, handle)) ?? '')
    // That nobody is named may change any moment, so it is not kept.
    if (did === '') await this.#cache.delete(key)
    return did === '' ? undefined : did
  }

  /** Forgets what is cached of an identity, in all processes (each keeps its own copy for ten seconds at most). */
  async forget(identity: { did?: string; handle?: string }): Promise<void> {
    const { keys } = this.#options
    if (identity.did !== undefined) await this.#cache.delete(keys.didDocument(identity.did))
    if (identity.handle !== undefined) await this.#cache.delete(keys.handle(identity.handle))
  }

  async #through(key: string, options: { refresh?: boolean }, fetch: () => Promise<string>): Promise<string> {
    const hit: CacheHit | undefined = options.refresh === true ? undefined : await this.#cache.get(key)
    if (hit === undefined) return this.#fetchOnce(key, fetch)
    if (hit.isStale) {
      this.#fetchOnce(key, fetch).catch((error: unknown) =>
        this.#options.log.debug({ err: error, key }, 'a stale identity could not be looked up anew'),
      )
    }
    return hit.text
  }

  #fetchOnce(key: string, fetch: () => Promise<string>): Promise<string> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const started = fetch()
      .then(async (text) => {
        await this.#cache.set(key, text)
        return text
      })
      .finally(() => this.#running.delete(key))
    this.#running.set(key, started)
    return started
  }
}
