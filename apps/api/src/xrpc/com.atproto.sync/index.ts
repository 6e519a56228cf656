import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { getBlob } from './getBlob.ts'
import { getBlocks } from './getBlocks.ts'
import { getCheckout } from './getCheckout.ts'
import { getHead } from './getHead.ts'
import { getLatestCommit } from './getLatestCommit.ts'
import { getRecord } from './getRecord.ts'
import { getRepo } from './getRepo.ts'
import { getRepoStatus } from './getRepoStatus.ts'
import { listBlobs } from './listBlobs.ts'
import { listRepos } from './listRepos.ts'

/** The methods of com.atproto.sync. */
export function syncMethods(deps: ApiDeps): AnyXrpcMethod[] {
  return [
    getBlob(deps),
    getBlocks(deps),
    getCheckout(deps),
    getHead(deps),
    getLatestCommit(deps),
    getRecord(deps),
    getRepo(deps),
    getRepoStatus(deps),
    listBlobs(deps),
    listRepos(deps),
  ]
}
