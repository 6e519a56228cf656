import { type Database, inTransaction } from '@rookery/db'
import { encodeCar, findRecord, loadPaths, openTree, pathProof } from '@rookery/repo'
import { must } from '@rookery/std'
import { type Nsid, type RecordKey, cidEquals } from '@rookery/syntax'

import { loadPacks } from '../storage/storage-queries.ts'
import { StoredNodes } from '../storage/stored-nodes.ts'
import { type RepoAddress, findRecordBlock } from './export-queries.ts'
import { type ReadOptions, getServableRepo } from './servable-repo.ts'

/**
 * Returns the CAR that proves what is at a path of a repo: the commit, the nodes from the root to the path, and the
 * record, or no record if there is none.
 *
 * @throws {RepoNotFoundError} {RepoTakendownError} {RepoSuspendedError} {RepoDeactivatedError}
 */
export async function getRecordProof(
  pool: Database['pool'],
  record: RepoAddress & { collection: Nsid; rkey: RecordKey },
  options: ReadOptions,
): Promise<Buffer> {
  return inTransaction(
    pool,
    async (client) => {
      const head = await getServableRepo(client, record, options)
      const { accountId } = head
      const nodes = new StoredNodes(client, accountId, { packs: await loadPacks(client, accountId) })
      const path = `${record.collection}/${record.rkey}`
      const tree = openTree(head.data)
      await loadPaths(tree, [path], nodes)
      const blocks = [{ cid: head.head, bytes: head.commit }, ...pathProof(tree, path)]
      const cid = findRecord(tree, path)
      if (cid !== undefined) {
        const block = must(await findRecordBlock(client, { ...record, accountId }), 'the tree has the record')
        if (!cidEquals(block.cid, cid)) throw new Error('the record is not that of the tree')
        blocks.push(block)
      }
      return encodeCar(head.head, blocks)
    },
    { isolation: 'repeatable read' },
  )
}
