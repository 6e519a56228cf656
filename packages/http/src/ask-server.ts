import { Agent } from 'undici'

import { fetchBytesMax, fetchTimeoutMs } from './limits.ts'
import { type OutboundTarget, measureOutbound } from './outbound.ts'

/** An answer whose head is there. Who gets it reads the text, so that the connection serves the next request. */
export type ServerAnswer = Pick<Response, 'status' | 'text'>

export type ServerRequest = {
  /** Default GET. */
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
}

/**
 * Asks a server whose URL the operator configured. Fails if it can not be reached, takes too long, answers with too
 * much, or sends us elsewhere.
 */
export type AskServer = (url: string, request?: ServerRequest) => Promise<ServerAnswer>

export type AskServerOptions = {
  /** What is asked, as metrics call it; what is asked for nobody's request has none. */
  to?: OutboundTarget
  /** Longest wait for all of an answer, in milliseconds. Default 5,000. */
  timeoutMs?: number
  /** Largest answer, in bytes. Default 524,288. */
  responseBytesMax?: number
}

/**
 * Returns the way to a server that the operator named: wherever it is, over connections that are kept. An idle one
 * keeps no process alive.
 */
export function createAskServer(options: AskServerOptions = {}): AskServer {
  const timeoutMs = options.timeoutMs ?? fetchTimeoutMs
  const agent = new Agent({
    allowH2: false,
    maxResponseSize: options.responseBytesMax ?? fetchBytesMax,
    // The time for all of an answer is bounded below.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: timeoutMs },
  })
  return (url, { method = 'GET', headers = {}, body = '' } = {}) =>
    measureOutbound(options.to, async () => {
      const { origin, pathname, search } = new URL(url)
      const answer = await agent.request({
        origin,
        path: pathname + search,
        method,
        headers: { accept: '*/*', 'user-agent': 'rookery', ...headers },
        body: body === '' ? null : body,
        signal: AbortSignal.timeout(timeoutMs),
      })
      // Whoever reads the text is told of its errors; until somebody does, they must not end the process.
      const { statusCode: status, body: stream } = answer
      stream.on('error', () => {})
      if (status >= 300 && status < 400) {
        stream.destroy()
        throw new Error(`${origin} answered with the redirect ${status}`)
      }
      return { status, text: () => stream.text() }
    })
}
