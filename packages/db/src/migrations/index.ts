import type { SchemaMigration } from '../migrate.ts'

import * as tenancy from './0001-tenancy.ts'
import * as account from './0002-account.ts'
import * as session from './0003-session.ts'
import * as repo from './0004-repo.ts'
import * as blob from './0005-blob.ts'
import * as event from './0006-event.ts'
import * as job from './0007-job.ts'
import * as commit from './0008-commit.ts'
import * as eventBatch from './0010-event-batch.ts'
import * as storeBlob from './0011-store-blob.ts'
import * as busyRepos from './0012-busy-repos.ts'
import * as eventQueueFloor from './0013-event-queue-floor.ts'
import * as numberEvents from './0014-number-events.ts'
import * as plainCreates from './0015-plain-creates.ts'
import * as appPassword from './0016-app-password.ts'
import * as preference from './0017-preference.ts'
import * as rateLimits from './0019-rate-limits.ts'
import * as invite from './0020-invite.ts'
import * as audit from './0021-audit.ts'
import * as mail from './0022-mail.ts'
import * as tenantUsage from './0024-tenant-usage.ts'
import * as blobQuota from './0025-blob-quota.ts'
import * as lexicon from './0026-lexicon.ts'
import * as jobProgress from './0028-job-progress.ts'
import * as oauth from './0030-oauth.ts'
import * as factor from './0032-factor.ts'
import * as passkey from './0033-passkey.ts'
import * as keyRotation from './0034-key-rotation.ts'
import * as accountExport from './0040-account-export.ts'
import * as accountMove from './0041-account-move.ts'
import * as sessionPolicy from './0050-session-policy.ts'
import * as captcha from './0051-captcha.ts'
import * as signInFailure from './0052-sign-in-failure.ts'
import * as sessionEpoch from './0053-session-epoch.ts'
import * as spentCode from './0054-spent-code.ts'
import * as plainInserts from './0058-plain-inserts.ts'
import * as fewerSteps from './0059-fewer-steps.ts'
import * as linearNumbering from './0060-linear-numbering.ts'

/** All migrations by name, oldest first. Additive only: pods of the previous version run on the new schema. */
export const migrations: Record<string, SchemaMigration> = {
  '0001-tenancy': tenancy,
  '0002-account': account,
  '0003-session': session,
  '0004-repo': repo,
  '0005-blob': blob,
  '0006-event': event,
  '0007-job': job,
  '0008-commit': commit,
  '0010-event-batch': eventBatch,
  '0011-store-blob': storeBlob,
  '0012-busy-repos': busyRepos,
  '0013-event-queue-floor': eventQueueFloor,
  '0014-number-events': numberEvents,
  '0015-plain-creates': plainCreates,
  '0016-app-password': appPassword,
  '0017-preference': preference,
  '0019-rate-limits': rateLimits,
  '0020-invite': invite,
  '0021-audit': audit,
  '0022-mail': mail,
  '0024-tenant-usage': tenantUsage,
  '0025-blob-quota': blobQuota,
  '0026-lexicon': lexicon,
  '0028-job-progress': jobProgress,
  '0030-oauth': oauth,
  '0032-factor': factor,
  '0033-passkey': passkey,
  '0034-key-rotation': keyRotation,
  '0040-account-export': accountExport,
  '0041-account-move': accountMove,
  '0050-session-policy': sessionPolicy,
  '0051-captcha': captcha,
  '0052-sign-in-failure': signInFailure,
  '0053-session-epoch': sessionEpoch,
  '0054-spent-code': spentCode,
  '0058-plain-inserts': plainInserts,
  '0059-fewer-steps': fewerSteps,
  '0060-linear-numbering': linearNumbering,
}
