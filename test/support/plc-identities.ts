import type { Identities, Identity } from '../conformance/relay/strict-relay.ts'

type Operation = {
  verificationMethods?: Record<string, string>
  services?: Record<string, { endpoint: string }>
  alsoKnownAs?: string[]
}
type Entry = { operation: Operation; createdAt: string; nullified: boolean }

const logsMax = 10_000

/**
 * What DID documents said at a given time, by the directory's audit log: a reader that lags, or reads a stream again,
 * does not hold today's document against yesterday's events.
 */
export class PlcIdentities implements Identities {
  readonly #plcUrl: string
  readonly #logs = new Map<string, Entry[]>()

  constructor(plcUrl: string) {
    this.#plcUrl = plcUrl
  }

  async at(did: string, timeMs: number): Promise<Identity | undefined> {
    const log = this.#logs.get(did) ?? (await this.#fetchLog(did))
    const entry = log.findLast(({ createdAt, nullified }) => !nullified && Date.parse(createdAt) <= timeMs)
    if (entry === undefined) return undefined
    const { verificationMethods, services, alsoKnownAs } = entry.operation
    return {
      signingKey: verificationMethods?.['atproto'] ?? '',
      pdsUrl: services?.['atproto_pds']?.endpoint ?? '',
      handle: alsoKnownAs?.find((uri) => uri.startsWith('at://'))?.slice('at://'.length),
    }
  }

  forget(did: string): void {
    this.#logs.delete(did)
  }

  async #fetchLog(did: string): Promise<Entry[]> {
    const response = await fetch(`${this.#plcUrl}/${did}/log/audit`)
    if (!response.ok) return []
    const log = (await response.json()) as Entry[]
    if (this.#logs.size >= logsMax) this.#logs.clear()
    this.#logs.set(did, log)
    return log
  }
}
