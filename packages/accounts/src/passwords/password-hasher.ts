import { hash, parseOptions, verify } from '@node-rs/argon2'

import { PasswordQueueFullError } from '../errors.ts'
import { passwordQueueMax } from '../limits.ts'
import { isScryptHash, verifyScrypt } from './scrypt.ts'

// OWASP's second choice of parameters: 19 MiB, two passes, one lane; about 20 ms. argon2id is the library's default.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** What checking a password found. */
export type PasswordCheck = {
  matches: boolean
  /** The stored hash is weaker than today's: store `hash(password)` in its place. */
  needsRehash: boolean
}

/**
 * Hashes passwords with argon2id on libuv's threads, off the event loop.
 *
 * At most `concurrency` run at once, so that a wave of sign-ins leaves cores and threads to everything else; at
 * most `passwordQueueMax` wait, first come first served; the next is refused.
 */
export class PasswordHasher {
  readonly #concurrency: number
  readonly #waiting: (() => void)[] = []
  #running = 0
  #dummyHash: Promise<string> | undefined

  /** @param concurrency how many hashes are computed at once, at least 1. */
  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  /**
   * Returns the hash to store, with its salt and parameters.
   *
   * @throws {PasswordQueueFullError} if too many wait already.
   */
  hash(password: string): Promise<string> {
    return this.#run(() => hash(password, parameters))
  }

  /**
   * Checks a password against the stored hash: argon2, or the reference PDS's scrypt form of a migrated account.
   * Without a stored hash it works as long as with one and never matches, so that time tells nothing.
   *
   * @throws {PasswordQueueFullError} if too many wait already.
   */
  verify(storedHash: string | null | undefined, password: string): Promise<PasswordCheck> {
    return this.#run(async () => {
      if (storedHash === null || storedHash === undefined) {
        this.#dummyHash ??= hash('no account has this password', parameters)
        await verify(await this.#dummyHash, password)
        return { matches: false, needsRehash: false }
      }
      if (isScryptHash(storedHash)) {
        return { matches: await verifyScrypt(storedHash, password), needsRehash: true }
      }
      return { matches: await verify(storedHash, password), needsRehash: isWeak(storedHash) }
    })
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length >= passwordQueueMax) throw new PasswordQueueFullError()
      // The one that ends hands its place over, so `#running` does not change here.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else {
      this.#running++
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}

function isWeak(storedHash: string): boolean {
  const stored = parseOptions(storedHash)
  return stored.memoryCost < parameters.memoryCost || stored.timeCost < parameters.timeCost
}
