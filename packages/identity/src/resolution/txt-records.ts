import { Resolver } from 'node:dns/promises'

import { tryParseDid } from '@rookery/syntax'

import { resolutionTimeoutMs } from '../limits.ts'

/** Answers a TXT query: each record as its chunks. */
export type ResolveTxt = (name: string) => Promise<string[][]>

/**
 * Returns what answers TXT queries within `resolutionTimeoutMs`.
 *
 * @param nameservers addresses, with a port where it is another than 53; none: the system's.
 */
export function txtResolver(nameservers: readonly string[]): ResolveTxt {
  return (name) => {
    const resolver = new Resolver({ timeout: resolutionTimeoutMs, tries: 1 })
    if (nameservers.length > 0) resolver.setServers(nameservers)
    return resolver.resolveTxt(name)
  }
}

/** Returns the DID that the TXT records of a name give (`did=…`), or undefined if they give none, or several. */
export async function findTxtDid(resolveTxt: ResolveTxt, name: string): Promise<string | undefined> {
  const records = await resolveTxt(name).catch(() => [])
  const dids = new Set(
    records
      .map((chunks) => chunks.join(''))
      .filter((text) => text.startsWith('did='))
      .map((text) => text.slice('did='.length)),
  )
  const [did] = dids
  return dids.size === 1 && did !== undefined ? tryParseDid(did) : undefined
}
