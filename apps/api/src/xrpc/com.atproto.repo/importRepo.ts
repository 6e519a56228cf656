import type { Readable } from 'node:stream'

import type { Account } from '@rookery/accounts'
import type { BlobStore } from '@rookery/blobs'
import type { Database } from '@rookery/db'
import { type AnyXrpcMethod, defineMethod } from '@rookery/http'
import { joinJob, waitForJob } from '@rookery/jobs'
import { type UploadedImport, deleteUpload, importWaitMsMax, uploadImport } from '@rookery/records'
import type { FastifyReply } from 'fastify'

import { type AccessAuth, type AccessDeps, fullAccessAuth } from '../../auth/access.ts'
import { announcedLength, leaveBody } from '../streamed-body.ts'

type ImportRepoDeps = AccessDeps & { blobs: BlobStore; importBytesMax: number; wakeWorkers: () => void }

/**
 * com.atproto.repo.importRepo: replaces the account's repo by an uploaded one. A worker does it; the request waits for
 * the outcome, and a client that does not changes nothing about it. One that comes again with the same bytes while
 * they are being imported waits for the same outcome.
 */
export function importRepo(deps: ImportRepoDeps): AnyXrpcMethod {
  return defineMethod<unknown, Readable, undefined, AccessAuth>({
    nsid: 'com.atproto.repo.importRepo',
    auth: fullAccessAuth(deps),
    handler: async ({ host, input, auth, request, reply }) => {
      const { account } = auth
      let uploaded: UploadedImport
      try {
        uploaded = await uploadImport(deps.blobs, {
          hostId: host.id,
          accountId: account.id,
          body: input,
          length: announcedLength(request, input),
          bytesMax: deps.importBytesMax,
        })
      } catch (error) {
        leaveBody(reply, input)
        throw error
      }
      await waitUnlessGone(deps.db.pool, await addImport(deps, account, uploaded), reply)
    },
  })
}

async function addImport(
  deps: ImportRepoDeps,
  account: Account,
  { objectKey, digest }: UploadedImport,
): Promise<number> {
  const { id: accountId, host_id: hostId, tenant_id: tenantId } = account
  let isUsed = false
  try {
    const { id, isNew } = await joinJob(deps.db.pool, {
      queue: 'repo-import',
      payload: { hostId, tenantId, accountId, objectKey },
      dedupeKey: `${accountId}:${digest}`,
    })
    isUsed = isNew
    deps.wakeWorkers()
    return id
  } finally {
    if (!isUsed) await deleteUpload(deps.blobs, objectKey)
  }
}

async function waitUnlessGone(pool: Database['pool'], jobId: number, reply: FastifyReply): Promise<void> {
  const gone = new AbortController()
  const giveUp = (): void => gone.abort(new Error('the client is gone'))
  reply.raw.once('close', giveUp)
  try {
    await waitForJob(pool, jobId, { timeoutMs: importWaitMsMax, signal: gone.signal })
  } finally {
    reply.raw.off('close', giveUp)
  }
}
