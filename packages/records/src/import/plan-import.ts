import { setImmediate as yieldToOthers } from 'node:timers/promises'

import { type Connection, CopyRows } from '@rookery/db'
import { BlockMap, type BlockStore, type Commit, TreeWalk, openTree } from '@rookery/repo'
import type { Cid, Tid } from '@rookery/syntax'

import { InvalidImportError } from '../errors.ts'
import { walkChunksMax } from '../limits.ts'
import { BaseBuilder } from '../storage/compact.ts'
import { type BasePack, type RepoHead, loadPacks } from '../storage/storage-queries.ts'
import { StoredNodes } from '../storage/stored-nodes.ts'
import {
  type ImportTotals,
  clearRecords,
  compareRecords,
  findStagedBlocks,
  stageRecords,
} from './import-queries.ts'
import type { ProgressReporter } from './import-progress.ts'
import { importBlobRefsMax, importCopyBytes, importYieldBlocks } from './limits.ts'
import type { StagedCar } from './stage-car.ts'

/** What an import will do to a repo that is at a certain head. */
export type ImportPlan = {
  readonly rev: Tid
  readonly base: BasePack
  readonly totals: ImportTotals
}

/**
 * Verifies the whole imported tree and works out how it differs from the repo. Blocks that the CAR lacks may be ones
 * that the repo has at this head: so a diff can be imported as well as a whole repo (SPEC IMP-3).
 *
 * @throws {MissingBlockError} if a node is nowhere.
 * @throws {InvalidNodeError} {RepoLimitError} as `TreeWalk`.
 * @throws {InvalidImportError} if a record is nowhere or none, or there is too much of them.
 */
export async function planImport(
  connection: Connection,
  options: {
    head: RepoHead
    staged: StagedCar
    commit: Commit
    rev: Tid
    bytesMax: number
    signal: AbortSignal
    progress: ProgressReporter
  },
): Promise<ImportPlan> {
  const { head, staged, commit, rev, signal, progress } = options
  const { accountId } = head
  await progress.begin('walking')
  await clearRecords(connection)
  const own = new StoredNodes(connection, accountId, {
    packs: await loadPacks(connection, accountId),
    chunksMax: walkChunksMax,
  })
  const base = new BaseBuilder(rev)
  const rows = new CopyRows(2 * importCopyBytes)
  const walk = new TreeWalk(openTree(commit.data, { foreign: true }), importNodes(connection, staged, own))
  let visited = 0
  for (let item = walk.next(); item; item = walk.next()) {
    if (item === 'wait') await walk.fetch()
    else if (item.kind === 'node') base.add({ ...item, rev: own.revOf(item.cid) ?? rev })
    else addRecord(rows, item, progress)
    if (rows.size >= importCopyBytes) await stageRecords(connection, rows.take())
    if (++visited % importYieldBlocks !== 0) continue
    await yieldToOthers()
    await progress.tick()
    signal.throwIfAborted()
  }
  await stageRecords(connection, rows.take())
  const totals = await compareRecords(connection, accountId)
  checkTotals(totals, options.bytesMax)
  return { rev, base: base.finish(), totals }
}

function addRecord(
  rows: CopyRows,
  { path, cid }: { path: string; cid: Cid },
  progress: ProgressReporter,
): void {
  progress.addRecord()
  const slash = path.indexOf('/')
  rows.add([path.slice(0, slash), path.slice(slash + 1), cid])
}

function checkTotals(totals: ImportTotals, bytesMax: number): void {
  const { missing, invalid, bytes, blobRefs } = totals
  if (missing !== null) throw new InvalidImportError(`Could not find the record at '${missing}'`)
  if (invalid !== null) throw new InvalidImportError(`Could not parse record at '${invalid}'`)
  // One block may be the record of any number of paths: few bytes of CAR can stand for many of the database.
  if (bytes > bytesMax) throw new InvalidImportError(`The records have more than ${bytesMax} bytes`)
  if (blobRefs > importBlobRefsMax) {
    throw new InvalidImportError(`The records refer to more than ${importBlobRefsMax} blobs`)
  }
}

/** The CAR's nodes over the repo's own. */
function importNodes(connection: Connection, staged: StagedCar, own: StoredNodes): BlockStore {
  return {
    peek: (cid) => staged.nodes.get(cid),
    getMany: async (cids) => {
      const found = new BlockMap(await findStagedBlocks(connection, cids))
      const rest = cids.filter((cid) => !found.has(cid))
      if (rest.length > 0) for (const block of await own.getMany(rest)) found.add(block)
      return found
    },
  }
}
