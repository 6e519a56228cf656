import { documents } from './generated/documents.generated.ts'
import { LexiconRegistry } from './registry.ts'

/**
 * Returns a new registry of all documents that this version carries: those of the protocol and of its applications,
 * and our own under `net.rookery`.
 *
 * @example
 * const lexicons = bundledLexicons()
 * lexicons.knownRecord('app.bsky.feed.post') // true
 */
export function bundledLexicons(): LexiconRegistry {
  return new LexiconRegistry(documents)
}

/** Returns the ids of all documents that this version carries, sorted. */
export function bundledIds(): string[] {
  return Object.keys(documents)
}
