import {
  type AtUri,
  type Nsid,
  type RecordKey,
  type TidClock,
  atUri,
  cidEquals,
  cidToString,
  decodeDataObject,
} from '@rookery/syntax'

import { checkBlobRefs } from '../blobs/check-blob-refs.ts'
import type { RepoView } from '../commit/build-commit.ts'
import { type RecordWrite, pathOf } from '../commit/record-write.ts'
import type { RepoWriter, StoredCommit } from '../commit/repo-writer.ts'
import type { WrittenRepo } from '../commit/signer-for.ts'
import { CommitTooLargeError } from '../errors.ts'
import { commitOpsMax } from '../limits.ts'
import { findLinked } from './link-queries.ts'
import {
  type PreparedRecord,
  type RecordInput,
  type RecordLexicons,
  type ValidationStatus,
  checkPath,
  prepareRecord,
} from './prepare-record.ts'
import { subjectOf } from './record-link.ts'
import { checkSwapCommit, checkSwapRecord } from './swap.ts'

/** What writing records takes. */
export type WriteDeps = { writer: RepoWriter; lexicons: RecordLexicons; clock: TidClock }

/** A record as it was written. */
export type WrittenRecord = { uri: AtUri; cid: string; validationStatus: ValidationStatus }

/** The commit that a write made; undefined if there was nothing to do. */
export type WriteResult<T> = { commit: StoredCommit | undefined; result: T }

/**
 * Creates a record. An earlier like, repost, follow or block of the same subject is replaced in the same commit,
 * unless the client turned validation off (REFERENCE 3.4).
 *
 * @throws {InvalidRecordError} {BlobNotFoundError} {BlobMimeTypeError} {BlobSizeError} for the record.
 * @throws {RecordExistsError} if its key is taken.
 * @throws {InvalidSwapError} if `swapCommit` is not the head.
 * @throws whatever `RepoWriter.commit` throws.
 */
export async function createRecord(
  deps: WriteDeps,
  repo: WrittenRepo,
  input: RecordInput & { swapCommit?: string | undefined },
): Promise<WriteResult<WrittenRecord>> {
  const record = prepareRecord(deps, input)
  const create = record.write('create')
  const commit = await deps.writer.commit(repo, async (view) => {
    checkSwapCommit(view.head, input.swapCommit)
    await checkBlobRefs(view.db, repo.accountId, record.blobs)
    const replaced = input.validate === false ? [] : await findDuplicates(view, record)
    return [...replaced, create]
  })
  return { commit, result: written(repo, record, create) }
}

/**
 * Creates or replaces a record. One that is there already, byte for byte, makes no commit.
 *
 * @throws {InvalidRecordError} {BlobNotFoundError} {BlobMimeTypeError} {BlobSizeError} for the record.
 * @throws {InvalidSwapError} if `swapCommit` is not the head, or `swapRecord` (null: none) not the record.
 * @throws whatever `RepoWriter.commit` throws.
 */
export async function putRecord(
  deps: WriteDeps,
  repo: WrittenRepo,
  input: RecordInput & {
    rkey: string
    swapCommit?: string | undefined
    swapRecord?: string | null | undefined
  },
): Promise<WriteResult<WrittenRecord>> {
  const record = prepareRecord(deps, input)
  const create = record.write('create')
  const commit = await deps.writer.commit(repo, async (view) => {
    const [current] = await view.find([pathOf(record)])
    if (current !== undefined && cidEquals(current, create.cid)) return []
    checkSwapCommit(view.head, input.swapCommit)
    checkSwapRecord(current, input.swapRecord)
    await checkBlobRefs(view.db, repo.accountId, record.blobs)
    return [current === undefined ? create : record.write('update')]
  })
  return { commit, result: written(repo, record, create) }
}

/**
 * Deletes a record. One that is not there makes no commit and no error (SPEC WR-4).
 *
 * @throws {InvalidRecordError} if the collection or the key is malformed.
 * @throws {InvalidSwapError} if `swapCommit` is not the head, or `swapRecord` not the record.
 * @throws whatever `RepoWriter.commit` throws.
 */
export async function deleteRecord(
  deps: Pick<WriteDeps, 'writer'>,
  repo: WrittenRepo,
  input: {
    collection: string
    rkey: string
    swapCommit?: string | undefined
    swapRecord?: string | undefined
  },
): Promise<StoredCommit | undefined> {
  const { collection, rkey } = input
  checkPath(collection, rkey)
  return deps.writer.commit(repo, async (view) => {
    const [current] = await view.find([pathOf({ collection, rkey })])
    if (current === undefined) return []
    checkSwapCommit(view.head, input.swapCommit)
    checkSwapRecord(current, input.swapRecord)
    return [{ action: 'delete', collection, rkey }]
  })
}

/** One operation of a batch. */
export type BatchWrite =
  | ({ action: 'create' | 'update' } & Omit<RecordInput, 'validate'>)
  | { action: 'delete'; collection: string; rkey: string }

/**
 * Carries out a batch as one commit, or none of it. Results are in the order of the writes; undefined for a delete.
 * An update to what is there already is left out of the commit.
 *
 * @throws {CommitTooLargeError} above `commitOpsMax` writes, or if they make too large an event.
 * @throws {InvalidRecordError} {BlobNotFoundError} {BlobMimeTypeError} {BlobSizeError} for one of the records.
 * @throws {DuplicatePathError} {RecordExistsError} {RecordMissingError} if the writes do not fit the repo.
 * @throws {InvalidSwapError} if `swapCommit` is not the head.
 * @throws whatever `RepoWriter.commit` throws.
 */
export async function applyWrites(
  deps: WriteDeps,
  repo: WrittenRepo,
  input: { writes: readonly BatchWrite[]; validate?: boolean | undefined; swapCommit?: string | undefined },
): Promise<WriteResult<(WrittenRecord | undefined)[]>> {
  const { validate } = input
  if (input.writes.length > commitOpsMax) {
    throw new CommitTooLargeError(`Too many writes. Max: ${commitOpsMax}`)
  }
  const prepared = input.writes.map((write) => {
    if (write.action !== 'delete') {
      const record = prepareRecord(deps, { ...write, validate })
      return { record, write: record.write(write.action) }
    }
    checkPath(write.collection, write.rkey)
    return { record: undefined, write: { ...write, action: write.action } }
  })
  const blobs = prepared.flatMap(({ record }) => record?.blobs ?? [])
  const commit = await deps.writer.commit(repo, async (view) => {
    checkSwapCommit(view.head, input.swapCommit)
    await checkBlobRefs(view.db, repo.accountId, blobs)
    return withoutSameUpdates(
      view,
      prepared.map(({ write }) => write),
    )
  })
  const result = prepared.map(({ record, write }) =>
    record === undefined ? undefined : written(repo, record, write),
  )
  return { commit, result }
}

function isUpdate(write: RecordWrite): write is Exclude<RecordWrite, { action: 'delete' }> {
  return write.action === 'update'
}

async function withoutSameUpdates(view: RepoView, writes: readonly RecordWrite[]): Promise<RecordWrite[]> {
  const updates = writes.filter(isUpdate)
  if (updates.length === 0) return [...writes]
  const current = await view.find(updates.map(pathOf))
  const same = new Set<RecordWrite>(
    updates.filter(({ cid }, index) => {
      const before = current[index]
      return before !== undefined && cidEquals(before, cid)
    }),
  )
  return writes.filter((write) => !same.has(write))
}

/** Returns the deletes of the records that are about the same subject. */
async function findDuplicates(view: RepoView, record: PreparedRecord): Promise<RecordWrite[]> {
  const { collection, rkey, subject } = record
  const { link } = record.write('create')
  if (link === undefined) return []
  const found = await findLinked(view.db, { accountId: view.head.accountId, collection, link })
  return found
    .filter(
      (other) => other.rkey !== rkey && subjectOf(collection, decodeDataObject(other.bytes)) === subject,
    )
    .map((other) => ({ action: 'delete', collection, rkey: other.rkey }))
}

function written(
  repo: WrittenRepo,
  record: { collection: Nsid; rkey: RecordKey; validationStatus: ValidationStatus },
  write: { cid: Uint8Array },
): WrittenRecord {
  const { collection, rkey, validationStatus } = record
  return { uri: atUri(repo.did, collection, rkey), cid: cidToString(write.cid), validationStatus }
}
