import { LRUCache } from 'lru-cache'

import type { KeySigner } from '../crypto/signer.ts'
import type { SigningKeys } from '../keys/signing-keys.ts'
import { keptServiceTokensMax, serviceTokenReuseMs } from '../limits.ts'
import { issueServiceToken } from './service-token.ts'

type Kept = { token: string; signer: KeySigner; reusedUntilMs: number }

/** What a token is for. */
export type WantedServiceToken = {
  /** DID of the service, with `#` and its id or without. */
  audience: string
  /** NSID of the method. */
  method: string
  /**
   * Whether a recent token for the same will do. For queries only: a service may take a token once, to keep a call
   * from being repeated.
   */
  isReusable: boolean
}

/** Makes service tokens for accounts that call services through this process, and keeps them for a short while. */
export class ServiceTokens {
  readonly #keys: Pick<SigningKeys, 'signerFor'>
  readonly #kept = new LRUCache<string, Kept>({ max: keptServiceTokensMax })

  constructor(keys: Pick<SigningKeys, 'signerFor'>) {
    this.#keys = keys
  }

  /**
   * Returns a token that is signed with the account's key as it is now, and good for half a minute at least.
   *
   * @throws {SigningKeyNotFoundError} {UnwrapFailedError} if the account's key cannot be used.
   */
  async tokenFor(account: { id: number; did: string }, wanted: WantedServiceToken): Promise<string> {
    const { audience, method, isReusable } = wanted
    const signer = await this.#keys.signerFor(account)
    const key = `${account.id} ${audience} ${method}`
    const kept = isReusable ? this.#kept.get(key) : undefined
    if (kept !== undefined && kept.signer === signer && Date.now() < kept.reusedUntilMs) return kept.token
    const token = issueServiceToken(signer, { issuer: account.did, audience, method })
    if (isReusable) this.#kept.set(key, { token, signer, reusedUntilMs: Date.now() + serviceTokenReuseMs })
    return token
  }
}
