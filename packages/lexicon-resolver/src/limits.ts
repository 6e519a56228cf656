import { dayMs, hourMs, minuteMs, secondMs } from '@rookery/std'

/** How long one look-up may take in all, in milliseconds: DNS, DID document and record. */
export const lookUpMsMax = 8 * secondMs

/** How long a write waits for a lexicon that it could do without, in milliseconds; the look-up goes on. */
export const writeWaitMsMax = 2 * secondMs

/** Look-ups of one process at a time. */
export const lookUpsMax = 32

/** Look-ups that one process begins in a minute: whoever makes up collections cannot make it ask without end. */
export const lookUpsPerMinuteMax = 300

/** Largest answer of a PDS, in bytes: the record, and the nodes that prove it. */
export const proofBytesMax = 512 * 1024

/** Age from which a lexicon is looked up anew in the background, in milliseconds. */
export const lexiconStaleMs = hourMs

/** Age from which a lexicon is not used, in milliseconds: its authority has been away, or withdrawn it, for so long. */
export const lexiconMaxMs = 7 * dayMs

/** How long it counts that there is none, and how soon one that is stale is asked for again, in milliseconds. */
export const absenceMs = minuteMs

/** How long a process answers from its own memory before it reads the table again, in milliseconds. */
export const memoryMs = 10 * secondMs

/** Lexicons that one process holds in its own memory, of `foreignDocumentBytesMax` each at most. */
export const memoryLexiconsMax = 500

/** Collections whose checks one process keeps compiled. */
export const compiledCollectionsMax = 200

/** Documents that one collection's lexicon may need, itself included. */
export const neededDocumentsMax = 16

/** Collections of one write that are looked up. */
export const writeCollectionsMax = 16

/** Rows that are kept; the clean-up deletes those above it that were looked up longest ago. */
export const storedLexiconsMax = 20_000

/** Rows that one clean-up deletes. */
export const cleanUpRowsMax = 5_000
