import { createSafeFetch } from '@rookery/http'
import { type IdentityResolver, resolutionTimeoutMs, txtResolver } from '@rookery/identity'
import {
  LexiconNotFoundError,
  LexiconResolver,
  RecordLexiconFinder,
  proofBytesMax,
} from '@rookery/lexicon-resolver'
import type { FindLexicon } from '@rookery/oauth'

import type { ApiConnections } from './deps.ts'

/** Returns what finds lexicons that are not bundled. */
export function lexiconDeps(
  { config, log, db, lexicons }: ApiConnections,
  identities: IdentityResolver,
): { lexiconResolver: LexiconResolver; recordLexicons: RecordLexiconFinder; findLexicon: FindLexicon } {
  const { allowPrivateNetwork, nameservers } = config.identity
  const fetch = createSafeFetch({
    to: 'lexicon',
    allowPrivateNetwork,
    timeoutMs: resolutionTimeoutMs,
    responseBytesMax: proofBytesMax,
  })
  const sources = { resolveTxt: txtResolver(nameservers), identities, fetch }
  const lexiconResolver = new LexiconResolver({ log, db, sources })
  const findLexicon: FindLexicon = (nsid) =>
    lexiconResolver.resolve(nsid).catch((error: unknown) => {
      if (error instanceof LexiconNotFoundError) return undefined
      throw error
    })
  return {
    findLexicon,
    lexiconResolver,
    recordLexicons: new RecordLexiconFinder({ bundled: lexicons, resolver: lexiconResolver, log }),
  }
}
