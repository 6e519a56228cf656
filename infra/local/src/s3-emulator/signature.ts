import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

import { S3Error } from './s3-error.ts'

/** The one pair of keys that an emulator knows. */
export type Credentials = { accessKey: string; secretKey: string }

const clockSkewMsMax = 15 * 60 * 1000
const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/s3\/aws4_request,\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/

/** What a request says that it was signed with. */
type Signed = {
  accessKey: string
  day: string
  region: string
  /** Names of the headers that were signed, as they are written. */
  names: string
  signature: string
  timestamp: string
  payloadHash: string
}

/**
 * Returns if the request carries a valid Signature Version 4, in its Authorization header or its URL.
 *
 * @throws {S3Error} 403 for a missing, wrong or outdated signature or an unknown key.
 */
export function verifySignature(request: IncomingMessage, url: URL, credentials: Credentials): void {
  const signed = url.searchParams.has('X-Amz-Signature') ? signedByUrl(url) : signedByHeader(request)
  const { accessKey, day, region, names, signature, timestamp, payloadHash } = signed
  if (accessKey !== credentials.accessKey) {
    throw new S3Error(403, 'InvalidAccessKeyId', 'The access key does not exist.')
  }
  const signedHeaders = names.split(';')
  if (!signedHeaders.includes('host')) {
    throw new S3Error(403, 'AccessDenied', 'The host header is not signed.')
  }
  const canonical = [
    request.method,
    canonicalPath(url),
    canonicalQuery(url),
    ...signedHeaders.map((name) => `${name}:${header(request, name).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    payloadHash,
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(canonical)}`
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${credentials.secretKey}`),
  )
  if (!timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex'))) {
    throw new S3Error(403, 'SignatureDoesNotMatch', 'The signature is not the one of this request and key.')
  }
}

function signedByHeader(request: IncomingMessage): Signed {
  const match = authorizationPattern.exec(request.headers.authorization ?? '')
  if (!match) throw new S3Error(403, 'AccessDenied', 'The request is not signed with Signature Version 4.')
  const [, accessKey = '', day = '', region = '', names = '', signature = ''] = match
  const timestamp = header(request, 'x-amz-date')
  requireCurrent(timestamp, day)
  const payloadHash = header(request, 'x-amz-content-sha256')
  return { accessKey, day, region, names, signature, timestamp, payloadHash }
}

function signedByUrl(url: URL): Signed {
  const param = (name: string): string => url.searchParams.get(`X-Amz-${name}`) ?? ''
  const [accessKey = '', day = '', region = ''] = param('Credential').split('/')
  const timestamp = param('Date')
  if (!(Date.now() < timeOf(timestamp) + Number(param('Expires')) * 1000)) {
    throw new S3Error(403, 'AccessDenied', 'Request has expired')
  }
  return {
    accessKey,
    day,
    region,
    names: param('SignedHeaders'),
    signature: param('Signature'),
    timestamp,
    payloadHash: 'UNSIGNED-PAYLOAD',
  }
}

function timeOf(timestamp: string): number {
  return Date.parse(timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function requireCurrent(timestamp: string, day: string): void {
  const skewMs = Math.abs(Date.now() - timeOf(timestamp))
  if (!timestamp.startsWith(day) || !(skewMs <= clockSkewMsMax)) {
    throw new S3Error(403, 'RequestTimeTooSkewed', 'The time of the request is too far from ours.')
  }
}

function canonicalPath(url: URL): string {
  return url.pathname
    .split('/')
    .map((segment) => encode(decodeURIComponent(segment)))
    .join('/')
}

function canonicalQuery(url: URL): string {
  return url.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='))
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=', 2)
      return `${encode(decodeURIComponent(name))}=${encode(decodeURIComponent(value))}`
    })
    .sort()
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  })
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : (value ?? '')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
