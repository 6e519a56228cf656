import type { Account } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { type RecentRecord, listRecentRecords } from '@rookery/records'
import type { Tid } from '@rookery/syntax'

const profileCollection = 'app.bsky.actor.profile'
const postCollection = 'app.bsky.feed.post'

/** A blob as a record refers to it. */
export type BlobField = { ref?: { $link?: string }; cid?: string }

/** As much of a profile record as views show. */
export type ProfileRecord = {
  displayName?: string
  description?: string
  avatar?: BlobField
  banner?: BlobField
}

/** As much of a post record as views are made of. */
export type PostRecord = {
  text: string
  reply?: { root: { uri: string }; parent: { uri: string } }
  embed?: { $type: string; [field: string]: unknown }
}

/** A post of the caller that the service may not know yet. */
export type LocalPost = { uri: string; cid: string; indexedAt: string; record: PostRecord }

/** What the caller wrote after the rev that the service has seen. */
export type LocalRecords = {
  profile: ProfileRecord | undefined
  /** The oldest first. */
  posts: LocalPost[]
  /** How far the service is behind, in milliseconds. */
  lagMs: number
}

/** Returns what the caller wrote after a rev, or undefined if nothing of it shows in views. */
export async function findLocalRecords(
  db: Queryable,
  { id: accountId, did }: Account,
  above: Tid,
): Promise<LocalRecords | undefined> {
  const collections = [profileCollection, postCollection]
  const found = await listRecentRecords(db, { accountId, did, above, collections })
  const [profile] = found.filter(
    ({ collection, rkey }) => collection === profileCollection && rkey === 'self',
  )
  const posts = found.filter(({ collection }) => collection === postCollection)
  const shown = profile === undefined ? posts : [profile, ...posts]
  if (shown.length === 0) return undefined
  const oldest = Math.min(...shown.map(({ writtenAt }) => writtenAt.getTime()))
  return {
    profile: profile?.value as ProfileRecord | undefined,
    posts: posts.map(toPost),
    lagMs: Math.max(0, Date.now() - Math.floor(oldest)),
  }
}

function toPost({ uri, cid, value, writtenAt }: RecentRecord): LocalPost {
  return { uri, cid, indexedAt: writtenAt.toISOString(), record: value as PostRecord }
}
