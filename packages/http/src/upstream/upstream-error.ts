import { XrpcError, commonErrors } from '../xrpc-error.ts'
import { upstreamErrorBytesMax } from '../limits.ts'
import { decodeAnswer, readAnswer } from './answer-bytes.ts'
import { withoutContentHeaders } from './forwarded-headers.ts'
import type { UpstreamAnswer } from './upstream-answer.ts'

/** Longest error name and message that are handed on, in UTF-16 code units. */
const nameLengthMax = 128
const messageLengthMax = 2_000

/**
 * Returns the answer to a request that a service refused: its own status, name and message, except that what is its
 * internal error is our bad gateway, and that nobody is sent elsewhere.
 */
export async function toUpstreamError(answer: UpstreamAnswer): Promise<XrpcError> {
  const payload = await readPayload(answer)
  const isPassedOn = answer.status >= 400 && answer.status < 600 && answer.status !== 500
  const status = isPassedOn ? answer.status : 502
  const name = text(payload['error'], nameLengthMax) ?? nameOf(status)
  const message =
    text(payload['message'], messageLengthMax) ?? `The upstream service answered with status ${answer.status}`
  return new XrpcError(status, name, message, {
    headers: withoutContentHeaders(answer.headers),
    isUpstream: true,
  })
}

/** Whatever cannot be read says nothing. */
async function readPayload({ headers, body }: UpstreamAnswer): Promise<Record<string, unknown>> {
  try {
    const bytes = await readAnswer(body, upstreamErrorBytesMax)
    const json = await decodeAnswer(bytes, headers['content-encoding'], upstreamErrorBytesMax)
    const payload: unknown = JSON.parse(json.toString())
    return typeof payload === 'object' && payload !== null ? { ...payload } : {}
  } catch {
    return {}
  }
}

function text(value: unknown, lengthMax: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, lengthMax) : undefined
}

function nameOf(status: number): string {
  const found = Object.entries(commonErrors).find(([, known]) => known === status)
  return found?.[0] ?? (status < 500 ? 'InvalidRequest' : 'UpstreamFailure')
}
