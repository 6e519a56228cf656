import { GroupRead, type Queryable } from '@rookery/db'
import { must } from '@rookery/std'
import { atUri, tryParseCid } from '@rookery/syntax'

import { RecordNotFoundError } from '../errors.ts'
import { requireActive } from '../repo-status.ts'
import { type RecordRow, type WantedRecord, findRecordRows } from './read-queries.ts'
import { recordJson } from './record-json.ts'

/** Reads records of one process: those that are asked for at the same time together. */
export class RecordReader {
  readonly #byDid: GroupRead<WantedRecord, RecordRow>
  readonly #byHandle: GroupRead<WantedRecord, RecordRow>

  constructor(db: Queryable) {
    this.#byDid = new GroupRead((wanted) => findRecordRows(db, 'did', wanted))
    this.#byHandle = new GroupRead((wanted) => findRecordRows(db, 'handle', wanted))
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
    const row = await this.#find(wanted)
    requireActive(wanted.repo, row?.status)
    const { did, cid, bytes, takedown_ref } = must(row)
    const uri = atUri(did, wanted.collection, wanted.rkey)
    const isWanted =
      cid !== null &&
      (wanted.cid === undefined || tryParseCid(wanted.cid)?.every((byte, i) => byte === cid[i]))
    if (!isWanted || bytes === null || takedown_ref !== null) {
      throw new RecordNotFoundError(`Could not locate record: ${uri}`)
    }
    return recordJson(uri, { cid, bytes })
  }

  #find(wanted: WantedRecord): Promise<RecordRow | undefined> {
    if (wanted.repo.startsWith('did:')) return this.#byDid.ask(wanted)
    return this.#byHandle.ask({ ...wanted, repo: wanted.repo.toLowerCase() })
  }
}
