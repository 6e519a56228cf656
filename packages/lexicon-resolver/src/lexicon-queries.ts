import type { Queryable } from '@rookery/db'

import type { PublishedLexicon } from './fetch-lexicon.ts'
import { absenceMs, cleanUpRowsMax, lexiconMaxMs, storedLexiconsMax } from './limits.ts'

/** A row; `document` is JSON text, or null where there was none. Ages are in milliseconds. */
export type StoredLexicon = {
  uri: string | null
  cid: string | null
  document: string | null
  /** Since it was found. */
  age: number
  /** Since it was looked up, with whatever outcome. */
  checkedAge: number
}

const age = (column: string): string => `(extract(epoch from now() - ${column}) * 1000)::double precision`

/** Returns what is stored of a lexicon. */
export async function findLexicon(db: Queryable, nsid: string): Promise<StoredLexicon | undefined> {
  const { rows } = await db.query<StoredLexicon>(
    `select uri, cid, document, ${age('fetched_at')} as age, ${age('checked_at')} as "checkedAge"
     from lexicon where nsid = $1`,
    [nsid],
  )
  return rows[0]
}

/** Stores a lexicon that was found. */
export async function storeLexicon(db: Queryable, nsid: string, found: PublishedLexicon): Promise<void> {
  await db.query(
    `insert into lexicon (nsid, uri, cid, document) values ($1, $2, $3, $4)
     on conflict (nsid) do update set uri = excluded.uri, cid = excluded.cid, document = excluded.document,
       fetched_at = now(), checked_at = now()`,
    [nsid, found.uri, found.cid, JSON.stringify(found.document)],
  )
}

/** Notes that a lexicon was not found; what was found earlier stays. */
export async function noteAbsence(db: Queryable, nsid: string): Promise<void> {
  await db.query(
    `insert into lexicon (nsid) values ($1) on conflict (nsid) do update set checked_at = now()`,
    [nsid],
  )
}

/** Deletes a batch of rows that no longer count, and of those above `storedLexiconsMax`; returns how many. */
export async function deleteOldLexicons(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `delete from lexicon where nsid in (
       (select nsid from lexicon where checked_at < now() - $1::bigint * interval '1 millisecond' limit $3)
       union all
       (select nsid from lexicon where document is null
          and checked_at < now() - $2::bigint * interval '1 millisecond' limit $3)
       union all
       (select nsid from lexicon order by checked_at desc offset $4 limit $3))`,
    [lexiconMaxMs, absenceMs, cleanUpRowsMax, storedLexiconsMax],
  )
  return rowCount ?? 0
}
