import type { IncomingMessage } from 'node:http'

import type { S3Operation } from './faults.ts'
import type { ObjectFiles, StoredObject } from './object-files.ts'
import { readPayload, readTextPayload } from './payload.ts'
import { S3Error } from './s3-error.ts'
import { type XmlContent, xmlDocument, xmlElements, xmlText } from './xml.ts'

/** What a request is about. */
export type S3Request = {
  message: IncomingMessage
  bucket: string
  key: string
  query: URLSearchParams
}

/** What to answer: an XML text, a stream, or nothing. */
export type S3Response = {
  status: number
  headers?: Record<string, string | number>
  body?: string | NodeJS.ReadableStream
}

/** The buckets of an emulator. */
export type Buckets = {
  names(): string[]
  find(name: string): ObjectFiles | undefined
  create(name: string): Promise<void>
  remove(name: string): Promise<void>
}

const listKeysMax = 1_000
const deleteKeysMax = 1_000
const partBytesMin = 5 * 1024 * 1024
const partNumberMax = 10_000

/**
 * Returns which operation a request asks for.
 *
 * @throws {S3Error} 501 for one that this emulator does not know.
 */
export function operationOf({ message, bucket, key, query }: S3Request): S3Operation {
  const level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object'
  const selector = ['uploadId', 'uploads', 'delete', 'list-type'].find((name) => query.has(name)) ?? ''
  const operation = operations[`${message.method} ${level} ${selector}`.trim()]
  if (!operation) throw new S3Error(501, 'NotImplemented', 'This request is not supported.')
  return operation
}

const operations: Record<string, S3Operation> = {
  'GET service': 'ListBuckets',
  'PUT bucket': 'CreateBucket',
  'HEAD bucket': 'HeadBucket',
  'DELETE bucket': 'DeleteBucket',
  'GET bucket list-type': 'ListObjectsV2',
  'GET bucket uploads': 'ListMultipartUploads',
  'POST bucket delete': 'DeleteObjects',
  'PUT object': 'PutObject',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'DELETE object': 'DeleteObject',
  'POST object uploads': 'CreateMultipartUpload',
  'PUT object uploadId': 'UploadPart',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
}

/**
 * Does what a request asks for.
 *
 * @throws {S3Error}
 */
export async function perform(
  operation: S3Operation,
  buckets: Buckets,
  request: S3Request,
): Promise<S3Response> {
  if (operation === 'ListBuckets') {
    return xml('ListAllMyBucketsResult', { Buckets: { Bucket: buckets.names().map((Name) => ({ Name })) } })
  }
  if (operation === 'CreateBucket') {
    await buckets.create(request.bucket)
    return { status: 200 }
  }
  if (operation === 'DeleteBucket') {
    await buckets.remove(request.bucket)
    return { status: 204 }
  }
  return handlers[operation](bucketOf(buckets, request), request)
}

type Handler = (bucket: ObjectFiles, request: S3Request) => S3Response | Promise<S3Response>

const handlers: Record<Exclude<S3Operation, 'ListBuckets' | 'CreateBucket' | 'DeleteBucket'>, Handler> = {
  HeadBucket: () => ({ status: 200 }),
  ListObjectsV2: listObjects,
  ListMultipartUploads: listUploads,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  GetObject: getObject,
  HeadObject: getObject,
  DeleteObject: async (bucket, { key }) => {
    await bucket.delete(key)
    return { status: 204 }
  },
  CreateMultipartUpload: createUpload,
  UploadPart: putPart,
  CompleteMultipartUpload: completeUpload,
  AbortMultipartUpload: async (bucket, { query }) => {
    await bucket.abortUpload(query.get('uploadId') ?? '')
    return { status: 204 }
  },
}

function bucketOf(buckets: Buckets, request: S3Request): ObjectFiles {
  const bucket = buckets.find(request.bucket)
  if (!bucket) throw new S3Error(404, 'NoSuchBucket', 'The bucket does not exist.')
  return bucket
}

function listObjects(bucket: ObjectFiles, { bucket: Name, query }: S3Request): S3Response {
  if (query.has('delimiter')) throw new S3Error(501, 'NotImplemented', 'Delimiters are not supported.')
  const Prefix = query.get('prefix') ?? ''
  const token = query.get('continuation-token')
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString()
  const MaxKeys = Math.min(integer(query, 'max-keys', listKeysMax), listKeysMax)
  const found = bucket.list(Prefix, after, MaxKeys + 1)
  const page = found.slice(0, MaxKeys)
  const IsTruncated = found.length > page.length
  const last = page.at(-1)
  return xml('ListBucketResult', {
    Name,
    Prefix,
    KeyCount: page.length,
    MaxKeys,
    IsTruncated,
    ...(IsTruncated && last ? { NextContinuationToken: Buffer.from(last.key).toString('base64url') } : {}),
    Contents: page.map((object) => ({
      Key: object.key,
      LastModified: new Date(object.modifiedMs).toISOString(),
      ETag: `"${object.etag}"`,
      Size: object.size,
      StorageClass: 'STANDARD',
    })),
  })
}

function listUploads(bucket: ObjectFiles, { bucket: Bucket }: S3Request): S3Response {
  return xml('ListMultipartUploadsResult', {
    Bucket,
    IsTruncated: false,
    Upload: bucket.uploads().map((upload) => ({
      Key: upload.key,
      UploadId: upload.uploadId,
      Initiated: new Date(upload.initiatedMs).toISOString(),
    })),
  })
}

async function deleteObjects(bucket: ObjectFiles, { message }: S3Request): Promise<S3Response> {
  if (message.headers['content-md5'] === undefined) {
    throw new S3Error(400, 'InvalidRequest', 'Content-MD5 is required.')
  }
  const document = await readTextPayload(message)
  const keys = xmlElements(document, 'Object').map((object) => xmlText(object, 'Key') ?? '')
  if (keys.length === 0 || keys.length > deleteKeysMax) {
    throw new S3Error(400, 'MalformedXML', 'The list of keys is empty or too long.')
  }
  for (const key of keys) await bucket.delete(key)
  const isQuiet = xmlText(document, 'Quiet') === 'true'
  return xml('DeleteResult', isQuiet ? {} : { Deleted: keys.map((Key) => ({ Key })) })
}

async function putObject(bucket: ObjectFiles, { message, key }: S3Request): Promise<S3Response> {
  const object = await bucket.put(key, contentType(message), readPayload(message))
  return { status: 200, headers: { etag: `"${object.etag}"` } }
}

function getObject(bucket: ObjectFiles, { message, key, query }: S3Request): S3Response {
  const object = bucket.find(key)
  if (!object) throw new S3Error(404, 'NoSuchKey', 'The key does not exist.')
  const disposition = query.get('response-content-disposition')
  const headers = {
    'accept-ranges': 'bytes',
    'content-type': query.get('response-content-type') ?? object.contentType,
    ...(disposition === null ? {} : { 'content-disposition': disposition }),
    'last-modified': new Date(object.modifiedMs).toUTCString(),
    etag: `"${object.etag}"`,
  }
  const range = parseRange(message.headers.range, object)
  const { start, end } = range ?? { start: 0, end: object.size - 1 }
  const sized = { ...headers, 'content-length': end - start + 1 }
  const body =
    message.method === 'HEAD' || object.size === 0 ? {} : { body: bucket.read(object, { start, end }) }
  if (!range) return { status: 200, headers: sized, ...body }
  return {
    status: 206,
    headers: { ...sized, 'content-range': `bytes ${start}-${end}/${object.size}` },
    ...body,
  }
}

function parseRange(
  header: string | undefined,
  { size }: StoredObject,
): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start >= size || start > end)
    throw new S3Error(416, 'InvalidRange', 'The range is outside of the object.')
  return { start, end }
}

async function createUpload(
  bucket: ObjectFiles,
  { message, bucket: Bucket, key }: S3Request,
): Promise<S3Response> {
  const { uploadId } = await bucket.createUpload(key, contentType(message))
  return xml('InitiateMultipartUploadResult', { Bucket, Key: key, UploadId: uploadId })
}

async function putPart(bucket: ObjectFiles, { message, query }: S3Request): Promise<S3Response> {
  const number = integer(query, 'partNumber', 0)
  if (number < 1 || number > partNumberMax)
    throw new S3Error(400, 'InvalidArgument', 'A part has number 1 to 10000.')
  const etag = await bucket.putPart(query.get('uploadId') ?? '', number, readPayload(message))
  return { status: 200, headers: { etag: `"${etag}"` } }
}

async function completeUpload(
  bucket: ObjectFiles,
  { message, bucket: Bucket, key, query }: S3Request,
): Promise<S3Response> {
  const document = await readTextPayload(message)
  const parts = xmlElements(document, 'Part').map((part) => ({
    number: Number(xmlText(part, 'PartNumber')),
    etag: (xmlText(part, 'ETag') ?? '').replaceAll('"', ''),
  }))
  const isAscending = parts.every((part, index) => part.number > (parts[index - 1]?.number ?? 0))
  if (parts.length === 0 || !isAscending) {
    throw new S3Error(400, 'InvalidPartOrder', 'The parts are not in ascending order.')
  }
  const { etag } = await bucket.completeUpload(query.get('uploadId') ?? '', parts, partBytesMin)
  return xml('CompleteMultipartUploadResult', { Bucket, Key: key, ETag: `"${etag}"` })
}

function contentType(message: IncomingMessage): string {
  return message.headers['content-type'] ?? 'application/octet-stream'
}

function integer(query: URLSearchParams, name: string, fallback: number): number {
  const value = Number(query.get(name) ?? fallback)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new S3Error(400, 'InvalidArgument', `${name} is no number.`)
  return value
}

function xml(root: string, content: XmlContent): S3Response {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: xmlDocument(root, content) }
}
