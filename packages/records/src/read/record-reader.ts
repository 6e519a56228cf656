import { GroupRead, type Queryable } from '@rookery/db'
import { must } from '@rookery/std'
import { type AtUri, JsonText, type Nsid, atUri, cidBytes, tryParseCid } from '@rookery/syntax'

import { RecordNotFoundError } from '../errors.ts'
import { pagesPerStatementMax } from '../limits.ts'
import { requireActive } from '../repo-status.ts'
import {
  type RecordPage,
  type RecordRow,
  type RepoName,
  type WantedPage,
  type WantedRecord,
  findPages,
  findRecordRows,
} from './read-queries.ts'

/** Sorts after every record key: the characters of a key end with `~`. */
const aboveAllKeys = '\u007f'

/** About how long `{uri, cid, value}` is without the value, in bytes. */
const entryBytes = 240

/** Which records to list. */
export type ListRecordsOptions = {
  hostId: number
  /** DID or handle. */
  repo: string
  collection: Nsid
  /** 1 to 100. */
  limit: number
  /** Key of the last record of the page before. */
  cursor?: string | undefined
  /** Ascending keys instead of descending ones. */
  reverse: boolean
}

type ByName<Question, Answer> = Record<RepoName, GroupRead<Question, Answer>>

/** Reads records for one process: those that are asked for at the same time together. */
export class RecordReader {
  readonly #records: ByName<WantedRecord, RecordRow>
  readonly #pagesUp: ByName<WantedPage, RecordPage>
  readonly #pagesDown: ByName<WantedPage, RecordPage>

  constructor(db: Queryable) {
    const options = { questionsMax: pagesPerStatementMax }
    const pages = (by: RepoName, direction: 'asc' | 'desc'): GroupRead<WantedPage, RecordPage> =>
      new GroupRead((wanted) => findPages(db, by, direction, wanted), options)
    this.#records = {
      did: new GroupRead((wanted) => findRecordRows(db, 'did', wanted)),
      handle: new GroupRead((wanted) => findRecordRows(db, 'handle', wanted)),
    }
    this.#pagesUp = { did: pages('did', 'asc'), handle: pages('handle', 'asc') }
    this.#pagesDown = { did: pages('did', 'desc'), handle: pages('handle', 'desc') }
  }

  /**
   * Returns a record as the JSON text `{uri, cid, value}`; its value goes from the stored bytes to text directly.
   *
   * @param wanted.repo DID or handle.
   * @param wanted.cid if given, only this version will do.
   * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} for the repo's state.
   * @throws {RecordNotFoundError} if there is none, it is taken down, or it is another version.
   */
  async getRecord(wanted: WantedRecord & { cid?: string | undefined }): Promise<Buffer> {
    const row = await ask(this.#records, wanted)
    requireActive(wanted.repo, row?.status)
    const { did, cid, bytes, takedown_ref } = must(row)
    const uri = atUri(did, wanted.collection, wanted.rkey)
    const isWanted =
      cid !== null &&
      (wanted.cid === undefined || tryParseCid(wanted.cid)?.every((byte, i) => byte === cid[i]))
    if (!isWanted || bytes === null || takedown_ref !== null) {
      throw new RecordNotFoundError(`Could not locate record: ${uri}`)
    }
    return appendHead(new JsonText(bytes.length * 2 + entryBytes), uri, cid)
      .cbor(bytes)
      .ascii('}')
      .finish()
  }

  /**
   * Returns a page of a collection as the JSON text `{records, cursor?}`. Records that are taken down are left out.
   *
   * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError} for the repo's state.
   */
  async listRecords(options: ListRecordsOptions): Promise<Buffer> {
    const { collection, limit, cursor, reverse } = options
    const page = await ask(reverse ? this.#pagesUp : this.#pagesDown, {
      ...options,
      above: (reverse ? cursor : undefined) ?? '',
      below: (reverse ? undefined : cursor) ?? aboveAllKeys,
    })
    requireActive(options.repo, page?.status)
    const { did, rkeys, sizes, payload } = must(page)
    const json = new JsonText(Math.ceil(payload.length * 1.25) + (rkeys.length + 1) * entryBytes)
    json.ascii('{"records":[')
    let at = 0
    for (const [index, rkey] of rkeys.entries()) {
      if (index > 0) json.ascii(',')
      const from = at + cidBytes
      appendHead(json, atUri(did, collection, rkey), payload, at)
      at = from + must(sizes[index])
      json.cbor(payload, from, at).ascii('}')
    }
    // A full page may be the last one: the next is then empty, without a cursor.
    const last = rkeys.length === limit ? rkeys.at(-1) : undefined
    return json.ascii(last === undefined ? ']}' : `],"cursor":"${last}"}`).finish()
  }
}

function ask<Question extends { repo: string }, Answer>(
  groups: ByName<Question, Answer>,
  question: Question,
): Promise<Answer | undefined> {
  if (question.repo.startsWith('did:')) return groups.did.ask(question)
  return groups.handle.ask({ ...question, repo: question.repo.toLowerCase() })
}

/** Neither a CID nor an AT-URI nor a record key has a character that JSON escapes. */
function appendHead(json: JsonText, uri: AtUri, cid: Uint8Array, from = 0): JsonText {
  return json.ascii(`{"uri":"${uri}","cid":"`).cid(cid, from).ascii('","value":')
}
