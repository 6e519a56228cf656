import type { IncomingHttpHeaders } from 'node:http'

/** What a service may know of the caller's request; never the credentials (SPEC PX-6). */
const requestHeaders = ['accept-language', 'atproto-accept-labelers', 'x-bsky-topics'] as const
const bodyHeaders = ['content-type', 'content-encoding', 'content-length'] as const

/** What a caller may know of the service's answer. */
const contentHeaders = ['content-length', 'content-encoding', 'content-type', 'content-language'] as const
const answerHeaders = ['atproto-repo-rev', 'atproto-content-labelers', 'retry-after'] as const

/** Returns those headers of a request that are handed on to a service; those of its body only if it has one. */
export function forwardedRequestHeaders(
  headers: IncomingHttpHeaders,
  hasBody: boolean,
): Record<string, string> {
  const names = hasBody ? [...requestHeaders, ...bodyHeaders] : requestHeaders
  return {
    // Whoever does not say takes anything; a client that says nothing decodes nothing.
    'accept-encoding': headers['accept-encoding'] ?? 'identity',
    ...pick(headers, names),
  }
}

/** Returns those headers of a service's answer that are handed on to the caller. */
export function forwardedAnswerHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return pick(headers, [...contentHeaders, ...answerHeaders])
}

/** Returns the headers without those that speak of the body: for an answer that gets another one. */
export function withoutContentHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return pick(headers, answerHeaders)
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) picked[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return picked
}
