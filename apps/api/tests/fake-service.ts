import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { P256Keypair } from '@atproto/crypto'
import { verifyJwt } from '@atproto/xrpc-server'
import { didForCreateOp, signOperation } from '@did-plc/lib'
import { verificationKey } from '@rookery/identity'

import type { TestApi } from './test-api.ts'

/** Answers one method; what it does not end stays open. */
export type Answering = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** What came to a service. */
export type Received = { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer }

/** A service of its own on a real port with a DID in the directory: an AppView, a labeler, whatever is needed. */
export class FakeService implements AsyncDisposable {
  readonly url: string
  readonly did: string
  /** Everything that came, oldest first; a body only as far as a handler let it be read. */
  readonly received: Received[]
  readonly #close: () => Promise<void>

  private constructor(url: string, did: string, received: Received[], close: () => Promise<void>) {
    this.url = url
    this.did = did
    this.received = received
    this.#close = close
  }

  /**
   * @param ids ids under which the DID's document lists the service, with its type.
   * @param methods by NSID; `*` is every other.
   */
  static async start(
    api: TestApi,
    ids: string[],
    methods: Record<string, Answering>,
    type = 'TestService',
  ): Promise<FakeService> {
    const received: Received[] = []
    const server = createServer((request, response) => void serve(request, response))
    const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const { method = '', url = '', headers } = request
      const seen: Received = { method, url, headers, body: Buffer.alloc(0) }
      received.push(seen)
      const nsid = url.slice('/xrpc/'.length).split('?', 1)[0]!
      const answer = methods[nsid] ?? methods['*'] ?? notImplemented
      if (!unreadMethods.has(answer)) seen.body = Buffer.concat(await request.toArray())
      await answer(request, response)
    }
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://localhost:${(server.address() as AddressInfo).port}`
    const did = await register(api, ids, { type, endpoint: url })
    return new FakeService(url, did, received, async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    })
  }

  /** The last request that came. */
  get last(): Received {
    return this.received.at(-1)!
  }

  /** Verifies the last request's token as a service does and returns its claims. */
  async verifyToken(api: TestApi, nsid: string, audience = this.did) {
    const token = this.last.headers.authorization?.replace(/^Bearer /, '') ?? ''
    return verifyJwt(token, audience, nsid, async (did) => {
      const document = await api.pods[0]!.deps.identities.resolveDid(did)
      return verificationKey(document, 'atproto')!
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

const unreadMethods = new WeakSet<Answering>()

/** Marks a handler that reads the request's body itself. */
export function unread(answering: Answering): Answering {
  unreadMethods.add(answering)
  return answering
}

/** Returns a handler that answers JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answering {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    response.end(JSON.stringify(value))
  }
}

const notImplemented = json({ error: 'MethodNotImplemented', message: 'not here' }, 501)

/** Makes a DID whose document lists the service under each id. */
async function register(
  api: TestApi,
  ids: string[],
  service: { type: string; endpoint: string },
): Promise<string> {
  const keypair = await P256Keypair.create()
  const services = Object.fromEntries(ids.map((id) => [id, service]))
  const operation = await signOperation(
    {
      type: 'plc_operation',
      rotationKeys: [keypair.did()],
      alsoKnownAs: [],
      verificationMethods: {},
      services,
      prev: null,
    },
    keypair,
  )
  const did = await didForCreateOp(operation)
  const answer = await fetch(`${api.plc.url}/${did}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation),
  })
  if (!answer.ok) throw new Error(`the directory refused ${did}: ${await answer.text()}`)
  return did
}

/** Returns status, name and message of an answer that is an error. */
export async function errorOf(answer: Promise<Response>): Promise<[number, string, string]> {
  const response = await answer
  const { error, message } = (await response.json()) as { error: string; message: string }
  return [response.status, error, message]
}
