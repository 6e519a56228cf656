import { Readable } from 'node:stream'

import { deleteExport, findExport, getReadyExport, openExport, requestExport } from '@rookery/archives'
import type { BlobStore } from '@rookery/blobs'
import type { Config } from '@rookery/config'
import type { Database } from '@rookery/db'
import { XrpcError } from '@rookery/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { parseRange } from '../../xrpc/com.atproto.sync/blob-conditions.ts'
import { ownPaths } from '../nav.ts'
import { type OwnPageDeps, askSignIn, registerOwnPage } from '../own-page.ts'
import { exportTexts } from '../texts/export.ts'
import { type SignedIn, signedInOf, visitOf } from '../visit.ts'
import { exportView } from './export-views.ts'

export type ExportPageDeps = OwnPageDeps & {
  db: Pick<Database, 'pool'>
  blobs: BlobStore
  config: Pick<Config, 'repo'>
  wakeWorkers: () => void
}

const path = ownPaths.export

/** Registers the page where owners ask for archives of their accounts, and what they download them from. */
export function registerExport(app: FastifyInstance, deps: ExportPageDeps): void {
  const { db, blobs: store } = deps
  registerOwnPage(app, deps, {
    path,
    texts: exportTexts,
    content: async ({ who }) => {
      const found = await findExport(db.pool, who.account.id)
      return { body: exportView(who, found), isLive: found?.state === 'building' }
    },
    actions: {
      ask: {
        charges: ({ who }) => [{ bucket: 'export-day', key: who.account.did }],
        run: async ({ who }) => {
          const lifeMs = deps.config.repo.exportKeepMs
          await requestExport(db, who.account, { lifeMs, locale: who.look.locale })
          deps.wakeWorkers()
        },
        done: (texts) => texts.asked,
      },
      delete: {
        run: ({ who }) => deleteExport({ db, store }, who.account),
        done: (texts) => texts.deleted,
      },
    },
  })
  app.get(`${path}/archive`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const who = await signedInOf(deps, request, visit, (request.query as { did?: unknown }).did)
    if (who?.isRecent !== true) return askSignIn(reply, path, who)
    return sendArchive(deps, { request, reply, who })
  })
}

/** Streams the archive, or a range of it, so that a download that broke off goes on. */
async function sendArchive(
  { db, blobs: store }: ExportPageDeps,
  { request, reply, who }: { request: FastifyRequest; reply: FastifyReply; who: SignedIn },
): Promise<FastifyReply> {
  const { objectKey, size, id } = await getReadyExport(db.pool, who.account.id)
  const etag = `"${id}"`
  const range = parseRange(request.headers, { etag, size })
  if (range === 'unsatisfiable') {
    const headers = { 'content-range': `bytes */${size}` }
    throw new XrpcError(416, 'InvalidRequest', 'The range is outside of the archive', { headers })
  }
  reply.headers({
    'content-type': 'application/x-tar',
    'content-disposition': `attachment; filename="${fileName(who)}"`,
    'content-length': range === undefined ? size : range.end - range.start + 1,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'accept-ranges': 'bytes',
    etag,
  })
  if (range !== undefined)
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`)
  if (request.method === 'HEAD') return reply.send(Readable.from([]))
  const { body } = await openExport({ db, store }, who.account, { objectKey, range })
  return reply.send(body)
}

function fileName({ account: { handle, did } }: SignedIn): string {
  return `${(handle ?? did).replaceAll(/[^\w.-]/g, '_')}.tar`
}
