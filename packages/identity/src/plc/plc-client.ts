import type { CompatibleOpOrTombstone } from '@did-plc/lib'
import type { SafeFetch } from '@rookery/http'

import { absence } from '../resolution/fetch-identity.ts'
import { DidNotFoundError, PlcRefusedError, PlcUnavailableError } from '../errors.ts'

/** The PLC directory. */
export class PlcClient {
  readonly #url: string
  readonly #fetch: SafeFetch

  constructor(url: string, fetch: SafeFetch) {
    this.#url = url.replace(/\/$/, '')
    this.#fetch = fetch
  }

  /**
   * Submits an operation.
   *
   * @throws {PlcRefusedError} if the directory does not accept it.
   * @throws {PlcUnavailableError} if it does not answer, or fails: whether it has the operation is then unknown.
   */
  async send(did: string, operation: object): Promise<void> {
    const response = await this.#request(did, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(operation),
    })
    if (!response.ok) throw await refusal(response)
    // Read to its end, so that the connection serves the next operation: to cancel would close it.
    await response.arrayBuffer().catch(() => undefined)
  }

  /**
   * Returns the DID's last operation.
   *
   * @throws {DidNotFoundError} if the directory does not know the DID.
   * @throws {PlcRefusedError} if it refuses to say.
   * @throws {PlcUnavailableError} if it does not answer.
   */
  async lastOperation(did: string): Promise<CompatibleOpOrTombstone> {
    const response = await this.#request(`${did}/log/last`)
    if (response.status === 404) throw new DidNotFoundError(`DID not found: ${did}`)
    if (!response.ok) throw await refusal(response)
    return this.#json<CompatibleOpOrTombstone>(response)
  }

  /**
   * Returns what the DID's operations come to: its keys, handles and services.
   *
   * @throws {DidNotFoundError} if the directory does not know the DID.
   * @throws {DidDeactivatedError} if it was tombstoned.
   * @throws {PlcRefusedError} if it refuses to say.
   * @throws {PlcUnavailableError} if it does not answer.
   */
  async data(did: string): Promise<PlcData> {
    const response = await this.#request(`${did}/data`)
    if (response.status === 404 || response.status === 410) throw await absence(response, did)
    if (!response.ok) throw await refusal(response)
    return this.#json<PlcData>(response)
  }

  async #request(path: string, init?: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(`${this.#url}/${path}`, init)
    } catch (error) {
      throw new PlcUnavailableError('The PLC directory does not answer', { cause: error })
    }
  }

  async #json<T>(response: Response): Promise<T> {
    try {
      return (await response.json()) as T
    } catch (error) {
      throw new PlcUnavailableError('The PLC directory did not answer with JSON', { cause: error })
    }
  }
}

/** What the operations of a did:plc come to. */
export type PlcData = {
  did: string
  rotationKeys: string[]
  verificationMethods: Record<string, string>
  alsoKnownAs: string[]
  services: Record<string, { type: string; endpoint: string }>
}

async function refusal(response: Response): Promise<Error> {
  const text = await response.text().catch(() => '')
  if (response.status >= 500)
    return new PlcUnavailableError(`The PLC directory failed with ${response.status}`)
  return new PlcRefusedError(
    response.status,
    messageIn(text) ?? `The PLC directory answered ${response.status}`,
  )
}

function messageIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('message' in value)) return undefined
    return typeof value.message === 'string' ? value.message.slice(0, 500) : undefined
  } catch {
    return undefined
  }
}
