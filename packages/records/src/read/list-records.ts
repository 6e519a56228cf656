import type { Queryable } from '@rookery/db'
import { must } from '@rookery/std'
import { type Nsid, atUri } from '@rookery/syntax'

import { requireActive } from '../repo-status.ts'
import { findRepo, listRecordRows } from './read-queries.ts'
import { recordJson } from './record-json.ts'

/** Sorts after every record key: the characters of a key end with `~`. */
const aboveAllKeys = '\u007f'

/** Which records to list. */
export type ListRecordsOptions = {
  hostId: number
  repo: string
  collection: Nsid
  /** 1 to 100. */
  limit: number
  /** Key of the last record of the page before. */
  cursor?: string | undefined
  /** Ascending keys instead of descending ones. */
  reverse: boolean
}

/**
 * Returns a page of a collection as the JSON text `{records, cursor?}`. Records that are taken down are left out.
 *
 * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} for the repo's state.
 */
export async function listRecords(db: Queryable, options: ListRecordsOptions): Promise<Buffer> {
  const { collection, limit, cursor, reverse } = options
  const repo = await findRepo(db, options.hostId, options.repo)
  requireActive(options.repo, repo?.status)
  const { accountId, did } = must(repo)
  const rows = await listRecordRows(db, {
    accountId,
    collection,
    limit,
    ascending: reverse,
    above: (reverse ? cursor : undefined) ?? '',
    below: (reverse ? undefined : cursor) ?? aboveAllKeys,
  })
  const parts: Buffer[] = [Buffer.from('{"records":[')]
  for (const [index, row] of rows.entries()) {
    if (index > 0) parts.push(comma)
    parts.push(recordJson(atUri(did, collection, row.rkey), row))
  }
  // A full page may be the last one: the next is then empty, without a cursor.
  const last = rows.length === limit ? rows.at(-1) : undefined
  parts.push(Buffer.from(last === undefined ? ']}' : `],"cursor":${JSON.stringify(last.rkey)}}`))
  return Buffer.concat(parts)
}

const comma = Buffer.from(',')
