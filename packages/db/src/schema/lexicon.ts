import type { Generated } from 'kysely'

/** A lexicon that was looked up; without a document there was none. */
export type LexiconTable = {
  nsid: string
  uri: string | null
  cid: string | null
  /** JSON text. */
  document: string | null
  fetched_at: Generated<Date>
  checked_at: Generated<Date>
}
