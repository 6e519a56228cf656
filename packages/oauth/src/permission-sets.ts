import { LexResolver, LexResolverError } from '@atproto/oauth-provider/provider'
import type { LexiconData, LexiconStore } from '@atproto/oauth-provider/store'

/** A lexicon that somebody publishes, as it was resolved. */
type Published = { uri: string; cid: string; document: object }

/** Looks a lexicon up, in whatever keeps those that were found; undefined if there is none. */
export type FindLexicon = (nsid: string) => Promise<Published | undefined>

type Resolved = Awaited<ReturnType<LexResolver['get']>>

/** The provider's resolver, with the look-up that the rest of the cluster uses (SPEC PS-5). */
export class PermissionSets extends LexResolver {
  readonly #find: FindLexicon

  constructor(find: FindLexicon) {
    super({})
    this.#find = find
  }

  override async get(nsid: Parameters<LexResolver['get']>[0]): Promise<Resolved> {
    const found = await this.#find(String(nsid))
    if (found === undefined) throw LexResolverError.from(nsid, 'It is published nowhere')
    // Of the result, the provider reads the document and, to show it, the URI.
    return { uri: found.uri, lexicon: found.document } as unknown as Resolved
  }
}

/** Keeps nothing: the look-up does, for all processes. */
export const noLexicons: LexiconStore = {
  findLexicon: (): LexiconData | null => null,
  storeLexicon: () => undefined,
  deleteLexicon: () => undefined,
}
