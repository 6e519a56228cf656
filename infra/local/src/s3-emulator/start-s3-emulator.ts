import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { Faults, type S3Fault } from './faults.ts'
import { ObjectFiles } from './object-files.ts'
import { type Buckets, type S3Request, type S3Response, operationOf, perform } from './operations.ts'
import { S3Error } from './s3-error.ts'
import { type Credentials, verifySignature } from './signature.ts'
import { xmlDocument } from './xml.ts'

/** How to start an emulator. */
export type S3EmulatorOptions = {
  /** Directory that keeps the buckets between starts. */
  dir: string
  /** Port on 127.0.0.1. Default: a free one. */
  port?: number
  accessKey?: string
  secretKey?: string
  /** Bucket made at start if it is not there. Default `rookery`. */
  bucket?: string
}

/** A running emulator; disposing closes its connections and keeps the directory. */
export type S3Emulator = AsyncDisposable & {
  /** URL of the service; buckets are the first segment of the path. */
  endpoint: string
  region: string
  accessKey: string
  secretKey: string
  bucket: string
  /** Makes requests fail until the result is disposed of. */
  inject(fault: S3Fault): Disposable
}

const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/**
 * Starts a server that speaks the part of the S3 protocol that a blob store needs, for development and tests:
 * objects with ranges, multipart uploads, listings and bulk deletion, signatures (version 4) and checksums
 * verified, errors in XML. One process per directory.
 */
export async function startS3Emulator(options: S3EmulatorOptions): Promise<S3Emulator> {
  const { dir, port = 0, accessKey = 'rookery', secretKey = 'rookery-secret', bucket = 'rookery' } = options
  const buckets = await openBuckets(dir)
  if (!buckets.find(bucket)) await buckets.create(bucket)
  const faults = new Faults()
  const server = createServer((message, response) => {
    void serve({ message, response, buckets, faults, credentials: { accessKey, secretKey } })
  })
  server.keepAliveTimeout = 60_000
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    region: 'us-east-1',
    accessKey,
    secretKey,
    bucket,
    inject: (fault) => faults.inject(fault),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

type Exchange = {
  message: IncomingMessage
  response: ServerResponse
  buckets: Buckets
  faults: Faults
  credentials: Credentials
}

async function serve({ message, response, buckets, faults, credentials }: Exchange): Promise<void> {
  try {
    const url = new URL(`http://${message.headers.host ?? 'localhost'}${message.url ?? '/'}`)
    const request = requestOf(message, url)
    const operation = operationOf(request)
    const fault = faults.take(operation)
    if (fault?.kind === 'refuse') {
      message.socket.destroy()
      return
    }
    if (fault?.kind === 'error') throw new S3Error(fault.status, fault.code, 'Injected by a test.')
    if (fault?.kind === 'slow') await sleep(fault.delayMs)
    verifySignature(message, url, credentials)
    const answer = await perform(operation, buckets, request)
    await send(message, response, answer, fault?.kind === 'drop' ? fault.afterBytes : undefined)
  } catch (error) {
    refuse(message, response, error)
  }
}

function requestOf(message: IncomingMessage, url: URL): S3Request {
  const [, bucket = '', ...rest] = url.pathname.split('/')
  const key = decodeURIComponent(rest.join('/'))
  return { message, bucket: decodeURIComponent(bucket), key, query: url.searchParams }
}

async function send(
  message: IncomingMessage,
  response: ServerResponse,
  answer: S3Response,
  dropAfterBytes: number | undefined,
): Promise<void> {
  message.resume()
  const { body = '' } = answer
  response.writeHead(answer.status, {
    ...(typeof body === 'string' && message.method !== 'HEAD'
      ? { 'content-length': Buffer.byteLength(body) }
      : {}),
    ...answer.headers,
  })
  if (message.method === 'HEAD') {
    response.end()
    return
  }
  const stream = typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body
  if (dropAfterBytes === undefined) await pipeline(stream, response)
  else await dropAfter(stream, response, dropAfterBytes)
}

async function dropAfter(
  stream: NodeJS.ReadableStream,
  response: ServerResponse,
  bytes: number,
): Promise<void> {
  let left = bytes
  for await (const chunk of stream) {
    const part = Buffer.from(chunk).subarray(0, left)
    left -= part.length
    await new Promise((resolve) => {
      response.write(part, resolve)
    })
    if (left === 0) break
  }
  response.destroy()
}

function refuse(message: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || message.socket.destroyed) {
    response.destroy()
    return
  }
  const known = error instanceof S3Error ? error : new S3Error(500, 'InternalError', String(error))
  const body = xmlDocument('Error', { Code: known.code, Message: known.message })
  message.resume()
  response.writeHead(known.status, { 'content-type': 'application/xml' })
  response.end(message.method === 'HEAD' ? undefined : body)
}

async function openBuckets(dir: string): Promise<Buckets> {
  await mkdir(dir, { recursive: true })
  const buckets = new Map<string, ObjectFiles>()
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) buckets.set(entry.name, await ObjectFiles.open(join(dir, entry.name)))
  }
  return {
    names: () => Array.from(buckets.keys()).sort(),
    find: (name) => buckets.get(name),
    create: async (name) => {
      if (!bucketPattern.test(name))
        throw new S3Error(400, 'InvalidBucketName', 'No bucket can have this name.')
      if (buckets.has(name)) throw new S3Error(409, 'BucketAlreadyOwnedByYou', 'The bucket exists already.')
      buckets.set(name, await ObjectFiles.open(join(dir, name)))
    },
    remove: async (name) => {
      const bucket = buckets.get(name)
      if (!bucket) throw new S3Error(404, 'NoSuchBucket', 'The bucket does not exist.')
      if (!bucket.isEmpty) throw new S3Error(409, 'BucketNotEmpty', 'The bucket still has objects.')
      buckets.delete(name)
      await bucket.destroy()
    },
  }
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
