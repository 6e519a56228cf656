import { InvalidRecordError, LexiconRegistry } from '@rookery/lexicon'
import type { Logger } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

import { LexiconNotFoundError } from './errors.ts'
import type { LexiconResolver } from './lexicon-resolver.ts'
import {
  compiledCollectionsMax,
  memoryMs,
  neededDocumentsMax,
  writeCollectionsMax,
  writeWaitMsMax,
} from './limits.ts'

/**
 * What becomes of records whose lexicon is not bundled: `off`: nothing is looked up; `validate`: they are checked if
 * it can be had soon; `require`: they are refused unless it can be had and they keep to it.
 */
export type LexiconPolicy = 'off' | 'validate' | 'require'

/** Lexicons for the records of one write. */
export type WriteLexicons = Pick<LexiconRegistry, 'validateRecord'> & {
  /** Whether a record needs a lexicon, and must keep to it, whatever the client asks for. */
  isRequired: boolean
}

type Compiled = { registry: LexiconRegistry; cids: string; checkedAtMs: number }

/** Finds the lexicons of records: the bundled ones, and where the policy has it those of the network. */
export class RecordLexiconFinder {
  readonly #bundled: LexiconRegistry
  readonly #resolver: Pick<LexiconResolver, 'resolve'>
  readonly #log: Logger
  readonly #off: WriteLexicons
  readonly #compiled = new LRUCache<string, Compiled>({ max: compiledCollectionsMax })

  constructor(options: {
    bundled: LexiconRegistry
    resolver: Pick<LexiconResolver, 'resolve'>
    log: Logger
  }) {
    this.#bundled = options.bundled
    this.#resolver = options.resolver
    this.#log = options.log
    this.#off = this.#withPolicy(new Map(), false)
  }

  /**
   * Returns what to validate the records of a write with. Waits for look-ups, at most `writeWaitMsMax` unless the
   * policy or the client wants a lexicon; call it before anything is locked. Never throws for a lexicon's sake: one
   * that cannot be had, or does not hold together, is unknown.
   */
  async find(
    policy: LexiconPolicy,
    collections: Iterable<string>,
    validate: boolean | undefined,
  ): Promise<WriteLexicons> {
    const isRequired = policy === 'require'
    if (policy === 'off' || (validate === false && !isRequired)) return this.#off
    const unknown = new Set<string>()
    for (const collection of collections) {
      const isBundled = this.#bundled.findDocument(collection) !== undefined
      if (!isBundled && unknown.size < writeCollectionsMax) unknown.add(collection)
    }
    const registries = new Map<string, LexiconRegistry>()
    const mayWait = isRequired || validate === true
    await Promise.all(
      Array.from(unknown, async (collection) => {
        const found = this.#find(collection)
        const registry = await (mayWait ? found : within(found, writeWaitMsMax))
        if (registry !== undefined) registries.set(collection, registry)
      }),
    )
    return this.#withPolicy(registries, isRequired)
  }

  #withPolicy(registries: ReadonlyMap<string, LexiconRegistry>, isRequired: boolean): WriteLexicons {
    return {
      isRequired,
      validateRecord: (collection, value, rkey) =>
        (registries.get(collection) ?? this.#bundled).validateRecord(collection, value, rkey),
    }
  }

  async #find(collection: string): Promise<LexiconRegistry | undefined> {
    const kept = this.#compiled.get(collection)
    if (kept !== undefined && Date.now() - kept.checkedAtMs < memoryMs) return kept.registry
    try {
      return await this.#compile(collection, kept)
    } catch (error) {
      if (!(error instanceof LexiconNotFoundError)) {
        this.#log.warn({ err: error, collection }, 'a lexicon could not be compiled')
      }
      this.#compiled.delete(collection)
      return undefined
    }
  }

  async #compile(collection: string, kept: Compiled | undefined): Promise<LexiconRegistry> {
    const registry = new LexiconRegistry({}, this.#bundled)
    const cids: string[] = []
    for (let missing = [collection]; missing.length > 0; missing = registry.missingReferences(collection)) {
      if (cids.length + missing.length > neededDocumentsMax) {
        throw new LexiconNotFoundError(collection, `it needs more than ${neededDocumentsMax} documents`)
      }
      const found = await Promise.all(missing.map((nsid) => this.#resolver.resolve(nsid)))
      for (const { document, cid } of found) {
        registry.add(document)
        cids.push(cid)
      }
    }
    if (!registry.knownRecord(collection)) throw new LexiconNotFoundError(collection, 'it is no record')
    const isSame = kept?.cids === cids.join()
    const compiled = isSame ? kept.registry : tried(registry, collection)
    this.#compiled.set(collection, { registry: compiled, cids: cids.join(), checkedAtMs: Date.now() })
    return compiled
  }
}

/** Returns the registry if it can check a record of the collection; throws whatever keeps it from doing so. */
function tried(registry: LexiconRegistry, collection: string): LexiconRegistry {
  try {
    registry.validateRecord(collection, { $type: collection })
  } catch (error) {
    if (!(error instanceof InvalidRecordError)) throw error
  }
  return registry
}

/** Resolves to undefined if the promise, which does not reject, takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
