import type { JobProcessors } from '@rookery/jobs'
import { type ImportDeps, repoSigner } from '@rookery/records'

import type { WorkerDeps } from '../deps.ts'
import { accountDeletion } from './account-deletion.ts'
import { accountExport, accountExportGc } from './account-export.ts'
import { accountMove } from './account-move.ts'
import { blobGc } from './blob-gc.ts'
import { blobPurge } from './blob-purge.ts'
import { crawlRequest } from './crawl-request.ts'
import { mail } from './mail.ts'
import { passwordReset } from './password-reset.ts'
import { repoCompaction } from './repo-compaction.ts'
import { repoImport } from './repo-import.ts'

/** Returns the processor of every queue. */
export function buildProcessors(deps: WorkerDeps): JobProcessors {
  const { config, db, directory, store, fetch, mailer } = deps
  const { allowPrivateNetwork } = config.identity
  return {
    'password-reset': passwordReset(deps),
    mail: mail({ db, directory, mailer, moderationFrom: config.mail.moderationFrom }),
    'blob-gc': blobGc({ store, pool: db.pool }),
    'blob-purge': blobPurge({ store, pool: db.pool }),
    'repo-compaction': repoCompaction({ pool: db.pool }),
    'account-deletion': accountDeletion({ db, store }),
    'account-export': accountExport({ db, store, directory, lifeMs: config.repo.exportKeepMs }),
    'account-move': accountMove({ ...deps, imports: importDeps(deps) }),
    'account-export-gc': accountExportGc({ db, store, directory }),
    'repo-import': repoImport(importDeps(deps)),
    'crawl-request': crawlRequest({ db: db.kysely, fetch, allowPrivateNetwork }),
  }
}

function importDeps({ config, db, store, clock, signingKeys, wakeSequencer }: WorkerDeps): ImportDeps {
  return {
    pool: db.pool,
    store,
    clock,
    signerFor: repoSigner(signingKeys),
    bytesMax: config.repo.importBytesMax,
    onStored: wakeSequencer,
  }
}
