import { Readable } from 'node:stream'

import type { SafeFetch } from '@rookery/http'
import { z } from 'zod'

import { OldServerRefusedError, OldServerUnreachableError } from './errors.ts'
import { oldServerSentenceMax } from './limits.ts'

/** How the server that an account moves away from is reached: anybody names it, so every call is guarded. */
export type OldServerDeps = {
  /** For calls, bounded in time and size. */
  fetch: SafeFetch
  /** For repos and blobs. */
  transfer: SafeFetch
}

/** A session with that server. Never stored but sealed. */
export type OldSession = { pdsUrl: string; did: string; accessJwt: string; refreshJwt: string }

/** A call of a method of that server. */
export type OldCall = {
  nsid: string
  params?: Readonly<Record<string, string>>
  /** Makes it a procedure; null for one without input. */
  input?: object | null
}

const tokens = z.object({ did: z.string(), accessJwt: z.string(), refreshJwt: z.string() })
const failure = z.object({ error: z.string(), message: z.string().optional() })

/**
 * Signs in to the server that the account lives on.
 *
 * @throws {OldServerRefusedError} `AuthFactorTokenRequired` if it wants a code besides.
 * @throws {OldServerUnreachableError}
 */
export async function signInToOldServer(
  deps: OldServerDeps,
  {
    pdsUrl,
    did,
    password,
    code,
  }: { pdsUrl: string; did: string; password: string; code?: string | undefined },
): Promise<OldSession> {
  const input = { identifier: did, password, ...(code === undefined ? {} : { authFactorToken: code }) }
  const answer = await callOldServer(deps, pdsUrl, { nsid: 'com.atproto.server.createSession', input })
  const session = parse(tokens, answer)
  // Another account's session would let that one move in under this DID's name.
  if (session.did !== did) throw new OldServerUnreachableError('The old server signed in another account')
  return { pdsUrl, did, accessJwt: session.accessJwt, refreshJwt: session.refreshJwt }
}

/**
 * Calls a method and returns what it answers, of which nothing is known.
 *
 * @throws {OldServerRefusedError} {OldServerUnreachableError}
 */
export async function callOldServer(
  deps: Pick<OldServerDeps, 'fetch'>,
  pdsUrl: string,
  call: OldCall & { token?: string },
): Promise<unknown> {
  const response = await send(deps.fetch, pdsUrl, call)
  const text = await response.text().catch((error: unknown) => {
    throw unreachable(error)
  })
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch (error) {
    throw unreachable(error)
  }
}

/**
 * Calls a method that answers bytes; the caller reads them to their end or destroys them.
 *
 * @throws {OldServerRefusedError} {OldServerUnreachableError}
 */
export async function streamFromOldServer(
  deps: Pick<OldServerDeps, 'transfer'>,
  pdsUrl: string,
  call: OldCall & { token?: string },
): Promise<{ body: Readable; mimeType: string | undefined }> {
  const response = await send(deps.transfer, pdsUrl, call)
  if (response.body === null) throw new OldServerUnreachableError('The old server sent nothing')
  const mimeType = response.headers.get('content-type') ?? undefined
  return { body: Readable.fromWeb(response.body as never), mimeType }
}

/** Exchanges the session for the next one. */
export async function refreshOldSession(
  deps: Pick<OldServerDeps, 'fetch'>,
  session: OldSession,
): Promise<OldSession> {
  const call = { nsid: 'com.atproto.server.refreshSession', input: null, token: session.refreshJwt }
  const next = parse(tokens, await callOldServer(deps, session.pdsUrl, call))
  return { ...session, accessJwt: next.accessJwt, refreshJwt: next.refreshJwt }
}

async function send(
  safeFetch: SafeFetch,
  pdsUrl: string,
  { nsid, params, input, token }: OldCall & { token?: string },
): Promise<Response> {
  const url = new URL(`/xrpc/${nsid}`, pdsUrl)
  for (const [name, value] of Object.entries(params ?? {})) url.searchParams.set(name, value)
  const hasBody = input !== undefined && input !== null
  const response = await safeFetch(url, {
    method: input === undefined ? 'GET' : 'POST',
    redirect: 'error',
    headers: {
      accept: '*/*',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    ...(hasBody ? { body: JSON.stringify(input) } : {}),
  }).catch((error: unknown) => {
    throw unreachable(error)
  })
  if (response.ok) return response
  const said = failure.safeParse(await response.json().catch(() => undefined))
  if (!said.success || response.status >= 500)
    throw new OldServerUnreachableError(`The old server answered ${response.status}`)
  const { error, message = error } = said.data
  throw new OldServerRefusedError(error, message.slice(0, oldServerSentenceMax))
}

function parse<Value>(schema: z.ZodType<Value>, answer: unknown): Value {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new OldServerUnreachableError('The old server did not answer as it has to')
}

/** What went wrong is for the log; what an attacker's name resolves to is nobody's to see. */
function unreachable(cause: unknown): OldServerUnreachableError {
  return new OldServerUnreachableError('The old server cannot be reached', { cause })
}
