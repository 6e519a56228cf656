import { hash } from 'node:crypto'

import type { DataObject, DataValue, Nsid } from '@rookery/syntax'

const linkBytes = 8

/** Collections that should have one record per subject, and where each names it. */
const subjects: Readonly<Record<Nsid, (record: DataObject) => DataValue | undefined>> = {
  'app.bsky.feed.like': subjectUri,
  'app.bsky.feed.repost': subjectUri,
  'app.bsky.graph.follow': (record) => record['subject'],
  'app.bsky.graph.block': (record) => record['subject'],
}

/** Returns what a like, repost, follow or block is about; undefined for any other record. */
export function subjectOf(collection: Nsid, record: DataObject): string | undefined {
  const subject = Object.hasOwn(subjects, collection) ? subjects[collection]?.(record) : undefined
  return typeof subject === 'string' ? subject : undefined
}

/**
 * Returns the key under which a record's duplicates are found, or undefined if its collection has none: eight bytes
 * of a hash, a tenth of the subject itself. Equal keys of different subjects are told apart by reading the record.
 */
export function linkOfRecord(collection: Nsid, record: DataObject): Buffer | undefined {
  const subject = subjectOf(collection, record)
  return subject === undefined ? undefined : hash('sha256', subject, 'buffer').subarray(0, linkBytes)
}

function subjectUri(record: DataObject): DataValue | undefined {
  const { subject } = record
  const isMap = typeof subject === 'object' && subject !== null && !Array.isArray(subject)
  return isMap ? subject['uri'] : undefined
}
