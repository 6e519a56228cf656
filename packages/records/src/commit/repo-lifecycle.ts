import type { AccountStatus, Queryable } from '@rookery/db'
import { type EventFrame, appendEvent, encodeCommitFrame, encodeSyncFrame } from '@rookery/events'
import { type Block, type Sign, applyOps, emptyTree, encodeCar, signCommit } from '@rookery/repo'
import type { Tid, TidClock } from '@rookery/syntax'

import { notActive } from '../repo-status.ts'
import { encodePack } from '../storage/pack.ts'
import { type RepoHead, lockHead } from '../storage/storage-queries.ts'
import { insertRepo, updateHead } from './head-queries.ts'
import type { SignerFor } from './signer-for.ts'

export type NewRepoOptions = {
  accountId: number
  hostId: number
  did: string
  status: AccountStatus
  sign: Sign
  clock: TidClock
  /** Rev of the last commit that is known of the DID: the first one here is above it. */
  revAbove?: Tid | undefined
}

/**
 * Begins a repo in the caller's transaction: an empty tree under a first commit. Of an active repo it appends the
 * #commit event (no `prevData`, `since` null); of any other, nothing (SPEC §5).
 */
export async function createRepo(tx: Queryable, options: NewRepoOptions): Promise<{ rev: Tid }> {
  const { accountId, hostId, did, status, sign } = options
  const { tree, newNodes } = applyOps(emptyTree(), [])
  const rev = options.clock.next(options.revAbove)
  const commit = await signCommit({ did, rev, data: tree.root }, sign)
  const pack = encodePack(newNodes, rev)
  const frame = status === 'active' ? firstFrame(did, rev, commit, newNodes) : undefined
  await insertRepo(tx, { accountId, hostId, did, status, rev, data: tree.root, commit, pack, frame })
  return { rev }
}

function firstFrame(did: string, rev: Tid, commit: Block, newNodes: readonly Block[]): EventFrame {
  return encodeCommitFrame({
    repo: did,
    commit: commit.cid,
    rev,
    since: null,
    blocks: encodeCar(commit.cid, [commit, ...newNodes]),
    ops: [],
    time: new Date().toISOString(),
  })
}

/**
 * Signs the repo's tree anew in the caller's transaction: same records, a rev above the last, the key of now. For an
 * activation or after an import `sync` asserts the state to consumers that don't know it; after a change of keys
 * `commit` is a commit without operations (SPEC REP-4, §5).
 *
 * @throws {RepoNotFoundError} if the account has no repo.
 */
export async function resignRepo(
  tx: Queryable,
  options: {
    accountId: number
    signerFor: SignerFor
    clock: TidClock
    event: 'sync' | 'commit' | 'none'
    /** Version of the key that signs from now on. Default: the same as until now. */
    keyVersion?: number
  },
): Promise<{ rev: Tid }> {
  const { accountId, signerFor, clock, event } = options
  const head = await lockHead(tx, accountId)
  if (head === undefined) throw notActive(String(accountId), undefined)
  const keyVersion = options.keyVersion ?? head.keyVersion
  const sign = await signerFor(head, keyVersion)
  const rev = clock.next(head.rev)
  const commit = await signCommit({ did: head.did, rev, data: head.data }, sign)
  await updateHead(tx, { accountId, rev, data: head.data, commit, keyVersion })
  if (event !== 'none') {
    const frame = event === 'sync' ? syncFrame(head.did, rev, commit) : emptyCommitFrame(head, rev, commit)
    await appendEvent(tx, { hostId: head.hostId, accountId, kind: event, frame })
  }
  return { rev }
}

/** Returns the frame of a #sync that asserts a commit. */
export function syncFrame(did: string, rev: Tid, commit: Block): EventFrame {
  return encodeSyncFrame({
    did,
    rev,
    blocks: encodeCar(commit.cid, [commit]),
    time: new Date().toISOString(),
  })
}

function emptyCommitFrame(head: RepoHead, rev: Tid, commit: Block): EventFrame {
  return encodeCommitFrame({
    repo: head.did,
    commit: commit.cid,
    rev,
    since: head.rev,
    blocks: encodeCar(commit.cid, [commit]),
    ops: [],
    prevData: head.data,
    time: new Date().toISOString(),
  })
}
