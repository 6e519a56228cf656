/**
 * Lexicons from the network, in a table that all processes share and a small memory of this one.
 *
 * What was found counts for `lexiconMaxMs` and is looked up anew in the background once it is older than
 * `lexiconStaleMs`; that there is none counts for `absenceMs`. Whoever asks for the same lexicon at the same time
 * shares one question to the table and one look-up. A process looks up `lookUpsMax` at a time and begins `lookUpsPerMinuteMax` in a minute; past
 * that, a lexicon counts as not found, for now and for those who asked at that moment only.
 */
import type { Database } from '@rookery/db'
import type { LexiconDocument } from '@rookery/lexicon'
import { minuteMs } from '@rookery/std'
import { isNsid } from '@rookery/syntax'
import type { Logger } from '@rookery/telemetry'
import { LRUCache } from 'lru-cache'

import { LexiconNotFoundError } from './errors.ts'
import { type LexiconSources, type PublishedLexicon, fetchLexicon } from './fetch-lexicon.ts'
import { type StoredLexicon, findLexicon, noteAbsence, storeLexicon } from './lexicon-queries.ts'
import {
  absenceMs,
  lexiconMaxMs,
  lexiconStaleMs,
  lookUpsMax,
  lookUpsPerMinuteMax,
  memoryLexiconsMax,
  memoryMs,
} from './limits.ts'

export type LexiconResolverOptions = {
  log: Logger
  db: Pick<Database, 'pool'>
  sources: LexiconSources
}

type Kept = { found: PublishedLexicon | undefined; readAtMs: number }

/** Finds lexicons of any authority; see the module's header. */
export class LexiconResolver {
  readonly #options: LexiconResolverOptions
  readonly #memory = new LRUCache<string, Kept>({ max: memoryLexiconsMax })
  /** Answers on their way: from the table, or from a look-up that this led to. */
  readonly #asked = new Map<string, Promise<PublishedLexicon>>()
  readonly #running = new Map<string, Promise<PublishedLexicon>>()
  #minute = 0
  #begun = 0

  constructor(options: LexiconResolverOptions) {
    this.#options = options
  }

  /**
   * Returns the lexicon that the authority of an NSID publishes.
   *
   * @throws {LexiconNotFoundError} if there is none, or it cannot be had now.
   */
  async resolve(nsid: string): Promise<PublishedLexicon> {
    if (!isNsid(nsid)) throw new LexiconNotFoundError(nsid, 'it is no NSID')
    const kept = this.#memory.get(nsid)
    if (kept !== undefined && Date.now() - kept.readAtMs < memoryMs) return known(nsid, kept.found)
    const asked = this.#asked.get(nsid)
    if (asked !== undefined) return asked
    const answer = this.#ask(nsid).finally(() => this.#asked.delete(nsid))
    this.#asked.set(nsid, answer)
    return answer
  }

  async #ask(nsid: string): Promise<PublishedLexicon> {
    const stored = await findLexicon(this.#options.db.pool, nsid)
    if (stored === undefined || !isUsable(stored)) return this.#lookUpOnce(nsid)
    const found = parse(stored)
    this.#keep(nsid, found)
    if (found !== undefined && stored.age >= lexiconStaleMs && stored.checkedAge >= absenceMs) {
      this.#lookUpOnce(nsid).catch((error: unknown) =>
        this.#options.log.debug({ err: error, nsid }, 'a stale lexicon could not be looked up anew'),
      )
    }
    return known(nsid, found)
  }

  #lookUpOnce(nsid: string): Promise<PublishedLexicon> {
    const running = this.#running.get(nsid)
    if (running !== undefined) return running
    if (this.#running.size >= lookUpsMax || !this.#mayBegin()) {
      return Promise.reject(new LexiconNotFoundError(nsid, 'too many are being looked up'))
    }
    const started = this.#lookUp(nsid).finally(() => this.#running.delete(nsid))
    this.#running.set(nsid, started)
    return started
  }

  async #lookUp(nsid: string): Promise<PublishedLexicon> {
    const { db, sources, log } = this.#options
    try {
      const found = await fetchLexicon(sources, nsid)
      this.#keep(nsid, found)
      await storeLexicon(db.pool, nsid, found)
      log.info({ nsid, uri: found.uri, cid: found.cid }, 'lexicon found')
      return found
    } catch (error) {
      if (!(error instanceof LexiconNotFoundError)) throw error
      log.debug({ err: error, nsid }, 'lexicon not found')
      await noteAbsence(db.pool, nsid)
      // What was found earlier counts on: the table knows.
      this.#memory.delete(nsid)
      throw error
    }
  }

  #mayBegin(): boolean {
    const minute = Math.floor(Date.now() / minuteMs)
    if (minute !== this.#minute) this.#begun = 0
    this.#minute = minute
    return ++this.#begun <= lookUpsPerMinuteMax
  }

  #keep(nsid: string, found: PublishedLexicon | undefined): void {
    this.#memory.set(nsid, { found, readAtMs: Date.now() })
  }
}

function isUsable({ document, age, checkedAge }: StoredLexicon): boolean {
  return document === null ? checkedAge < absenceMs : age < lexiconMaxMs
}

function known(nsid: string, found: PublishedLexicon | undefined): PublishedLexicon {
  if (found === undefined) throw new LexiconNotFoundError(nsid, 'it was not found a moment ago')
  return found
}

function parse({ uri, cid, document }: StoredLexicon): PublishedLexicon | undefined {
  if (uri === null || cid === null || document === null) return undefined
  return { uri, cid, document: JSON.parse(document) as LexiconDocument }
}
