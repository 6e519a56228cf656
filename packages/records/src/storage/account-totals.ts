import { type Database, inTransaction } from '@rookery/db'
import { openTree, walkTree } from '@rookery/repo'
import type { Cid, Tid } from '@rookery/syntax'

import { notActive } from '../repo-status.ts'
import { walkChunksMax } from '../limits.ts'
import { loadRepo } from './storage-queries.ts'
import { StoredNodes } from './stored-nodes.ts'
import { type RowTotals, countRows } from './totals-queries.ts'

/** How much there is of an account, whatever its status: what its owner compares after a move. */
export type AccountTotals = Omit<RowTotals, 'recordBlocks'> & {
  rev: Tid
  /** CID of the signed commit. */
  head: Cid
  /** Blocks of the whole repo: the commit, the tree's nodes and the different records. */
  repoBlocks: number
}

/**
 * Counts all of an account in one snapshot. Walks the whole tree: about a second for a hundred thousand records.
 *
 * @throws {RepoNotFoundError} if the account has no repo.
 */
export async function countAccount(pool: Database['pool'], accountId: number): Promise<AccountTotals> {
  return inTransaction(
    pool,
    async (client) => {
      const loaded = await loadRepo(client, accountId)
      if (loaded === undefined) throw notActive(String(accountId), undefined)
      const { head, packs } = loaded
      const nodes = new StoredNodes(client, accountId, { packs, chunksMax: walkChunksMax })
      let treeNodes = 0
      for await (const item of walkTree(openTree(head.data), nodes)) if (item.kind === 'node') treeNodes++
      const { recordBlocks, ...totals } = await countRows(client, accountId)
      return { ...totals, rev: head.rev, head: head.head, repoBlocks: 1 + treeNodes + recordBlocks }
    },
    { isolation: 'repeatable read' },
  )
}
