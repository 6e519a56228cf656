import type { CompatibleOpOrTombstone } from '@did-plc/lib'
import type { AskServer, ServerAnswer, ServerRequest } from '@rookery/http'

import { absence } from '../resolution/fetch-identity.ts'
import { DidNotFoundError, PlcRefusedError, PlcUnavailableError } from '../errors.ts'

/** The PLC directory. */
export class PlcClient {
  readonly #url: string
  readonly #ask: AskServer

  constructor(url: string, ask: AskServer) {
    this.#url = url.replace(/\/$/, '')
    this.#ask = ask
  }

  /**
   * Submits an operation.
   *
   * @throws {PlcRefusedError} if the directory does not accept it.
   * @throws {PlcUnavailableError} if it does not answer, or fails: whether it has the operation is then unknown.
   */
  async send(did: string, operation: object): Promise<void> {
    const answer = await this.#request(did, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(operation),
    })
    if (!isOk(answer)) throw await refusal(answer)
    await readToEnd(answer)
  }

  /**
   * Returns the DID's last operation.
   *
   * @throws {DidNotFoundError} if the directory does not know the DID.
   * @throws {PlcRefusedError} if it refuses to say.
   * @throws {PlcUnavailableError} if it does not answer.
   */
  async lastOperation(did: string): Promise<CompatibleOpOrTombstone> {
    const answer = await this.#request(`${did}/log/last`)
    if (answer.status === 404) {
      await readToEnd(answer)
      throw new DidNotFoundError(`DID not found: ${did}`)
    }
    if (!isOk(answer)) throw await refusal(answer)
    return this.#json<CompatibleOpOrTombstone>(answer)
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
    const answer = await this.#request(`${did}/data`)
    if (answer.status === 404 || answer.status === 410) throw await absence(answer, did)
    if (!isOk(answer)) throw await refusal(answer)
    return this.#json<PlcData>(answer)
  }

  async #request(path: string, request?: ServerRequest): Promise<ServerAnswer> {
    try {
      return await this.#ask(`${this.#url}/${path}`, request)
    } catch (error) {
      throw new PlcUnavailableError('The PLC directory does not answer', { cause: error })
    }
  }

  async #json<T>(answer: ServerAnswer): Promise<T> {
    try {
      return JSON.parse(await answer.text()) as T
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

/** So that the connection serves the next operation: what the text is, or whether it came, says nothing. */
async function readToEnd(answer: ServerAnswer): Promise<void> {
  await answer.text().catch(() => undefined)
}

function isOk({ status }: ServerAnswer): boolean {
  return status >= 200 && status < 300
}

async function refusal(answer: ServerAnswer): Promise<Error> {
  const { status } = answer
  const body = await answer.text().catch(() => '')
  if (status >= 500) return new PlcUnavailableError(`The PLC directory failed with ${status}`)
  return new PlcRefusedError(status, messageIn(body) ?? `The PLC directory answered ${status}`)
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
