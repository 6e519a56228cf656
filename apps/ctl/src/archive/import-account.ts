import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

import {
  type Account,
  AccountNotFoundError,
  SessionTokens,
  createAccount,
  findAccountByDid,
  putPreferences,
} from '@rookery/accounts'
import { type ArchivedAccount, archiveFiles } from '@rookery/archives'
import type { BlobStore } from '@rookery/blobs'
import { JobTimeoutError, joinJob, listJobs, waitForJob } from '@rookery/jobs'
import {
  BlobNotFoundError,
  createRepo,
  deleteUpload,
  getServableBlob,
  processTidClock,
  uploadBlob,
  uploadImport,
} from '@rookery/records'
import { secondMs } from '@rookery/std'
import { cidToString, parseCid } from '@rookery/syntax'
import type { Host, Tenant } from '@rookery/tenants'

import type { CtlContext } from '../context.ts'
import type { CtlIdentity } from '../identity.ts'

export type ImportDeps = { context: CtlContext; identity: CtlIdentity; store: BlobStore }

/** Where an archive is imported to. */
export type ImportTarget = { directory: string; host: Host; tenant: Tenant; handle: string }

/**
 * Makes an account from an archive: deactivated and with a signing key of its own, until somebody activates it. A worker
 * imports the repo. Called again, it goes on where it was: an account of the DID that is not active is taken as its own.
 *
 * @throws {DidNotAvailableError} {HandleNotAvailableError} {EmailNotAvailableError} if somebody has one of them.
 */
export async function importAccount(
  deps: ImportDeps,
  archive: ArchivedAccount,
  target: ImportTarget,
): Promise<Account> {
  const { db } = deps.context
  const { host, directory } = target
  const known = await findAccountByDid(db.pool, { hostId: host.id, did: archive.did })
  if (known === undefined) await addAccount(deps, archive, target)
  const account = known ?? (await findAccountByDid(db.pool, { hostId: host.id, did: archive.did }))
  if (account === undefined) throw new AccountNotFoundError('Account not found')
  if (account.status === 'active') throw new Error(`${archive.did} is active on ${host.hostname}`)
  await importRepo(deps, account, directory)
  await importBlobs(deps, account, { archive, directory })
  const preferences: unknown = JSON.parse(await readFile(join(directory, archiveFiles.preferences), 'utf8'))
  await putPreferences({ db }, account.id, preferences as never, { isFullAccess: true })
  return account
}

async function addAccount(
  { context, identity }: ImportDeps,
  { did, email }: ArchivedAccount,
  { host, tenant, handle }: ImportTarget,
): Promise<void> {
  const { db, log } = context
  const key = await identity.signingKeys.takeReserved({ hostId: host.id, did })
  // Nobody is told of the session that comes with an account; it lasts a second.
  const tokens = new SessionTokens({
    secret: randomBytes(32).toString('hex'),
    accessTokenMs: secondMs,
    refreshTokenMs: secondMs,
  })
  await createAccount(
    {
      db,
      log,
      tokens,
      createRepo: async (tx, { account, status, signer, revAbove }) => {
        const { id: accountId, host_id: hostId } = account
        const sign = (bytes: Uint8Array): Uint8Array => signer.sign(bytes)
        await createRepo(tx, { accountId, hostId, did, status, sign, clock: processTidClock(), revAbove })
      },
    },
    {
      host,
      tenantId: tenant.id,
      identity: { did, signer: key.signer, storeSigningKey: (tx, id) => key.store(tx, { id, did }) },
      handle,
      email,
      passwordHash: null,
      inviteCode: null,
    },
  )
}

async function importRepo(
  { context, store }: ImportDeps,
  account: Account,
  directory: string,
): Promise<void> {
  const { id: accountId, host_id: hostId, tenant_id: tenantId } = account
  const { pool } = context.db
  const file = join(directory, archiveFiles.repo)
  const { size } = await stat(file)
  const bytesMax = context.config().repo.importBytesMax
  const upload = { hostId, accountId, body: createReadStream(file), length: size, bytesMax }
  const { objectKey, digest } = await uploadImport(store, upload)
  const payload = { hostId, tenantId, accountId, objectKey }
  const job = { queue: 'repo-import', payload, dedupeKey: `${accountId}:${digest}` } as const
  const { id, isNew } = await joinJob(pool, job)
  if (!isNew) await deleteUpload(store, objectKey)
  await context.wake()
  for (let isDone = false; !isDone;) {
    isDone = await waitForJob(pool, id, { timeoutMs: secondMs }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof JobTimeoutError) return false
        throw error
      },
    )
    if (isDone) break
    const [running] = await listJobs(pool, { queue: 'repo-import', belowId: id + 1, limit: 1 })
    context.progress(`importing ${account.did}: ${JSON.stringify(running?.progress ?? 'waits for a worker')}`)
  }
}

async function importBlobs(
  { context, store }: ImportDeps,
  { id: accountId, host_id: hostId }: Account,
  { archive, directory }: { archive: ArchivedAccount; directory: string },
): Promise<void> {
  const { pool } = context.db
  for (const [index, { cid, mimeType, size }] of archive.blobs.entries()) {
    const isThere = await getServableBlob(pool, accountId, parseCid(cid)).catch((error: unknown) => {
      if (error instanceof BlobNotFoundError) return undefined
      throw error
    })
    context.progress(`${index} of ${archive.blobs.length} blobs`)
    if (isThere !== undefined) continue
    const body = createReadStream(join(directory, archiveFiles.blobs, cid))
    const bytesMax = context.config().blobs.uploadBytesMax
    const upload = { hostId, accountId, body, length: size, mimeType, bytesMax }
    const stored = await uploadBlob({ pool, store }, upload)
    if (cidToString(stored.cid) !== cid) throw new Error(`the file of blob ${cid} is damaged`)
  }
}
