import { createSafeFetch } from '@rookery/http'
import { type IdentityResolver, resolutionTimeoutMs, txtResolver } from '@rookery/identity'
import { LexiconResolver, RecordLexiconFinder, proofBytesMax } from '@rookery/lexicon-resolver'

import type { ApiConnections } from './deps.ts'

/** Returns what finds lexicons that are not bundled. */
export function lexiconDeps(
  { config, log, db, lexicons }: ApiConnections,
  identities: IdentityResolver,
): { lexiconResolver: LexiconResolver; recordLexicons: RecordLexiconFinder } {
  const { allowPrivateNetwork, nameservers } = config.identity
  const fetch = createSafeFetch({
    allowPrivateNetwork,
    timeoutMs: resolutionTimeoutMs,
    responseBytesMax: proofBytesMax,
  })
  const sources = { resolveTxt: txtResolver(nameservers), identities, fetch }
  const lexiconResolver = new LexiconResolver({ log, db, sources })
  return {
    lexiconResolver,
    recordLexicons: new RecordLexiconFinder({ bundled: lexicons, resolver: lexiconResolver, log }),
  }
}
