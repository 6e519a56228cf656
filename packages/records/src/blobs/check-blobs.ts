import type { BlobStore } from '@rookery/blobs'
import type { Queryable } from '@rookery/db'
import type { Cid } from '@rookery/syntax'

import { compareUsage, isKeptBlob, listKeptBlobs, listMiscounted } from './check-queries.ts'
import { listBlobsMax, orphanAgeMs } from './limits.ts'
import { listMissingBlobs } from './list-queries.ts'
import type { BlobUsage } from './usage-queries.ts'

/** What a check of an account's blobs found. */
export type BlobCheck = {
  /** Blobs whose bytes are not in the store. */
  withoutObject: Cid[]
  /** Objects that no row knows, past the time after which the collector removes them. */
  withoutRow: string[]
  /** Blobs that records refer to and nobody has uploaded; at most `listBlobsMax` are counted. */
  neverUploaded: number
  /** Blobs whose count of references is wrong. */
  miscounted: Cid[]
  /** What the running totals say and what the rows come to. */
  usage: { kept: BlobUsage; counted: BlobUsage }
}

/** Checks an account's blobs: rows against objects, references, and totals. Reads only. Holds the keys in memory. */
export async function checkBlobs(
  deps: { db: Queryable; store: Pick<BlobStore, 'list' | 'head'> },
  account: { id: number; hostId: number },
): Promise<BlobCheck> {
  const { db, store } = deps
  const kept = new Map((await listKeptBlobs(db, account.id)).map((blob) => [blob.object_key, blob]))
  const known = new Set(kept.keys())
  const withoutRow = []
  for await (const { key, modifiedAt } of objectsOf(store, account)) {
    kept.delete(key)
    if (!known.has(key) && Date.now() - modifiedAt.getTime() > 2 * orphanAgeMs) withoutRow.push(key)
  }
  const withoutObject = []
  for (const blob of kept.values()) {
    // It may have come or gone while the listing was read.
    if ((await store.head(blob.object_key)) !== undefined) continue
    if (await isKeptBlob(db, account.id, blob)) withoutObject.push(blob.cid)
  }
  return {
    withoutObject,
    withoutRow,
    neverUploaded: (await listMissingBlobs(db, account.id, { limit: listBlobsMax })).length,
    miscounted: await listMiscounted(db, account.id),
    usage: await compareUsage(db, account.id),
  }
}

async function* objectsOf(
  store: Pick<BlobStore, 'list'>,
  { id, hostId }: { id: number; hostId: number },
): AsyncIterable<{ key: string; modifiedAt: Date }> {
  for (let after: string | undefined, more = true; more;) {
    const page = await store.list({ prefix: `${hostId}/${id}/`, after })
    yield* page
    after = page.at(-1)?.key
    more = page.length > 0
  }
}
