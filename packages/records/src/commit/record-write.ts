import type { Cid, Nsid, RecordKey } from '@rookery/syntax'

/** One operation of a commit, ready to be stored. */
export type RecordWrite =
  | {
      readonly action: 'create' | 'update'
      readonly collection: Nsid
      readonly rkey: RecordKey
      readonly cid: Cid
      /** The record as CBOR. */
      readonly bytes: Buffer
      /** Finds the duplicates of a like, repost, follow or block; see `linkOfRecord`. */
      readonly link: Buffer | undefined
      /** Every blob that the record refers to. */
      readonly blobs: readonly Cid[]
    }
  | { readonly action: 'delete'; readonly collection: Nsid; readonly rkey: RecordKey }

/** Returns the record's path in the tree. */
export function pathOf(write: { collection: Nsid; rkey: RecordKey }): string {
  return `${write.collection}/${write.rkey}`
}
