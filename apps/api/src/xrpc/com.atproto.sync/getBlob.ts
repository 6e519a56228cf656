import { Readable } from 'node:stream'

import type { BlobStore } from '@rookery/blobs'
import { type AnyXrpcMethod, RawAnswer, XrpcError, defineMethod } from '@rookery/http'
import { type ServableBlob, getServableBlob, openBlob } from '@rookery/records'
import { minuteMs } from '@rookery/std'
import { cidToString, parseCid } from '@rookery/syntax'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { type AccessDeps, type OptionalAuth, optionalAuth } from '../../auth/access.ts'
import { getReadableAccount } from '../readable-account.ts'
import { type RangeRequest, isUnchanged, parseRange } from './blob-conditions.ts'

/** How long a cache may serve a blob without asking again, in seconds: a takedown is in force after that. */
const cacheSeconds = 300

/** Smallest blob that is answered by a redirect, in bytes: below, the second request costs more than it spares. */
const redirectBytesMin = 1024 * 1024

/** Types that a browser does not run, should the store's front forget our headers. */
const redirectTypes = /^(?:image|video|audio)\/(?!svg)/

/** How long the target of a redirect works, in milliseconds: a takedown is in force after that. */
const redirectMs = minuteMs

/** com.atproto.sync.getBlob: the bytes of a blob, whole or a range, under headers that keep browsers from running it. */
export function getBlob(deps: AccessDeps & { blobs: BlobStore }): AnyXrpcMethod {
  return defineMethod<{ did: string; cid: string }, undefined, RawAnswer | FastifyReply, OptionalAuth>({
    nsid: 'com.atproto.sync.getBlob',
    auth: optionalAuth(deps),
    // Lengths, ranges and the ETag are those of the bytes as they were uploaded.
    isCompressible: false,
    handler: async ({ host, params, auth, request, reply }) => {
      const account = await getReadableAccount(deps.db.pool, { hostId: host.id, did: params.did }, auth)
      const blob = await getServableBlob(deps.db.pool, account.id, parseCid(params.cid))
      const etag = `"${cidToString(blob.cid)}"`
      if (isUnchanged(request.headers['if-none-match'], etag)) {
        return setHeaders(reply, blob, etag).code(304).send()
      }
      const target = auth.type === 'none' ? await findRedirect(deps.blobs, blob, request) : undefined
      if (target !== undefined) {
        return reply.code(302).headers({ location: target, 'cache-control': 'no-store' }).send()
      }
      const range = parseRange(request.headers, { etag, size: blob.size })
      if (range === 'unsatisfiable') throw rangeError(blob)
      const body = await openBody(deps.blobs, blob, { request, range })
      setHeaders(reply, blob, etag).header('content-length', lengthOf(blob, range))
      if (range) {
        reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${blob.size}`)
      }
      return new RawAnswer(blob.mimeType, body)
    },
  })
}

/** Returns where the store itself serves the blob for a while. Only the public is sent there: the URL works for all. */
async function findRedirect(
  store: BlobStore,
  blob: ServableBlob,
  request: FastifyRequest,
): Promise<string | undefined> {
  const isWorthIt = blob.size >= redirectBytesMin && redirectTypes.test(blob.mimeType)
  if (request.method === 'HEAD' || !isWorthIt) return undefined
  return store.signUrl(blob.objectKey, {
    expiresMs: redirectMs,
    contentType: blob.mimeType,
    contentDisposition: dispositionOf(blob),
  })
}

/** HEAD is answered from the row: the store is not asked. */
async function openBody(
  store: BlobStore,
  blob: ServableBlob,
  { request, range }: { request: FastifyRequest; range: RangeRequest },
): Promise<Readable> {
  if (request.method === 'HEAD') return Readable.from([])
  const { body } = await openBlob(store, blob, range)
  return body
}

/** Set once the blob is open: an error must not be taken for the blob, nor cached. */
function setHeaders(reply: FastifyReply, blob: ServableBlob, etag: string): FastifyReply {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', `public, max-age=${cacheSeconds}`)
  return reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'content-disposition': dispositionOf(blob),
  })
}

function dispositionOf({ cid }: ServableBlob): string {
  return `attachment; filename="${cidToString(cid)}"`
}

function lengthOf(blob: ServableBlob, range: RangeRequest): number {
  return range ? range.end - range.start + 1 : blob.size
}

function rangeError(blob: ServableBlob): XrpcError {
  return new XrpcError(416, 'InvalidRequest', 'The range is outside of the blob', {
    headers: { 'content-range': `bytes */${blob.size}` },
  })
}
