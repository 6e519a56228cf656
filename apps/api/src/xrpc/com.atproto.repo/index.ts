import type { AnyXrpcMethod } from '@rookery/http'

import type { ApiDeps } from '../../deps.ts'
import { applyWrites } from './applyWrites.ts'
import { createRecord } from './createRecord.ts'
import { deleteRecord } from './deleteRecord.ts'
import { describeRepo } from './describeRepo.ts'
import { getRecord } from './getRecord.ts'
import { importRepo } from './importRepo.ts'
import { listMissingBlobs } from './listMissingBlobs.ts'
import { listRecords } from './listRecords.ts'
import { putRecord } from './putRecord.ts'
import { uploadBlob } from './uploadBlob.ts'

/** The methods of com.atproto.repo. */
export function repoMethods(deps: ApiDeps): AnyXrpcMethod[] {
  const { uploadBytesMax } = deps.config.blobs
  const { importBytesMax } = deps.config.repo
  return [
    applyWrites(deps),
    createRecord(deps),
    deleteRecord(deps),
    describeRepo(deps),
    getRecord(deps),
    importRepo({ ...deps, importBytesMax }),
    listMissingBlobs(deps),
    listRecords(deps),
    putRecord(deps),
    uploadBlob({ ...deps, uploadBytesMax }),
  ]
}
