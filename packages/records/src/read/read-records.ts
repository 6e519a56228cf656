import type { Queryable } from '@rookery/db'
import { must } from '@rookery/std'
import { type Nsid, atUri, cborToJson, cidToString, tryParseCid } from '@rookery/syntax'

import { RecordNotFoundError } from '../errors.ts'
import { requireActive } from '../repo-status.ts'
import { findRecordRow, findRepo, listRecordRows } from './read-queries.ts'

/** Sorts after every record key: the characters of a key end with `~`. */
const aboveAllKeys = '\u007f'

/**
 * Returns a record as the JSON text `{uri, cid, value}`; its value goes from the stored bytes to text directly.
 *
 * @param wanted.cid if given, only this version will do.
 * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} for the repo's state.
 * @throws {RecordNotFoundError} if there is none, it is taken down, or it is another version.
 */
export async function getRecord(
  db: Queryable,
  wanted: { hostId: number; repo: string; collection: string; rkey: string; cid?: string | undefined },
): Promise<Buffer> {
  const row = await findRecordRow(db, wanted)
  requireActive(wanted.repo, row?.status)
  const { did, cid, bytes, takedown_ref } = must(row)
  const uri = atUri(did, wanted.collection, wanted.rkey)
  const isWanted =
    cid !== null && (wanted.cid === undefined || tryParseCid(wanted.cid)?.every((byte, i) => byte === cid[i]))
  if (!isWanted || bytes === null || takedown_ref !== null) {
    throw new RecordNotFoundError(`Could not locate record: ${uri}`)
  }
  return recordJson(uri, { cid, bytes })
}

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
const end = Buffer.from('}')

function recordJson(uri: string, row: { cid: Buffer; bytes: Buffer }): Buffer {
  // Neither a CID nor an AT-URI has a character that JSON escapes.
  const head = Buffer.from(`{"uri":"${uri}","cid":"${cidToString(row.cid)}","value":`)
  return Buffer.concat([head, cborToJson(row.bytes), end])
}
