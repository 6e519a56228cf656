import { Readable } from 'node:stream'

import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  HookHandlerDoneFunction,
  RequestPayload,
} from 'fastify'

import { decodedBody } from './content-encoding.ts'
import type { PdsHost } from './pds-host.ts'
import { releasedWhenSent } from './released-when-sent.ts'
import { UpstreamAnswer } from './upstream/upstream-answer.ts'
import { XrpcError, invalidRequest } from './xrpc-error.ts'

/** The type of every JSON answer. */
export const jsonType = 'application/json; charset=utf-8'

/** What a handler is called with: everything parsed, validated and authenticated. */
export type XrpcCall<Params, Input, Auth> = {
  /** The host that was asked; every lookup is scoped to it. */
  host: PdsHost
  params: Params
  /** The validated body; a stream for methods that take bytes; undefined for queries. */
  input: Input
  auth: Auth
  request: FastifyRequest
  reply: FastifyReply
}

/** One method of the lexicons: its auth, its limits, its work. */
export type XrpcMethod<Params, Input, Output, Auth> = {
  nsid: string
  /** Returns who calls, or throws the answer; runs before the body is read. May set headers of the answer. */
  auth: (request: FastifyRequest, reply: FastifyReply) => Promise<Auth> | Auth
  /** Largest JSON body, in bytes. Default 153,600; methods that take bytes bound their stream themselves. */
  inputBytesMax?: number
  /** Whether the answer may be compressed for who asks for it. Default true. */
  isCompressible?: boolean
  handler: (call: XrpcCall<Params, Input, Auth>) => Promise<Output> | Output
}

/** A method whose types its registration no longer needs. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyXrpcMethod = XrpcMethod<any, any, unknown, any>

/** The lexicons as far as routing needs them; @rookery/lexicon's registry fits. */
export type XrpcLexicons = {
  /** Returns what the lexicon says of a method, or undefined if there is none. */
  methodOf(
    nsid: string,
  ): { type: 'query' | 'procedure' | 'subscription'; inputEncoding?: string | undefined } | undefined
  /** Returns the parameters, coerced and with defaults; throws a DomainError if they break the lexicon. */
  validateParams(nsid: string, query: Readonly<Record<string, unknown>>): unknown
  /** Returns the input with defaults; throws a DomainError if it breaks the lexicon. */
  validateInput(nsid: string, input: unknown): unknown
}

/**
 * An answer that is not a plain JSON object: bytes or a stream under a type, or JSON text made beforehand. The chunks
 * of a stream are taken over: their memory is given back when they are sent.
 */
export class RawAnswer {
  readonly encoding: string
  readonly body: Readable | Uint8Array | string

  constructor(encoding: string, body: Readable | Uint8Array | string) {
    this.encoding = encoding
    this.body = body instanceof Readable ? releasedWhenSent(body) : body
  }
}

/** Declares a method; only here for its types. */
export function defineMethod<Params, Input, Output, Auth>(
  method: XrpcMethod<Params, Input, Output, Auth>,
): XrpcMethod<Params, Input, Output, Auth> {
  return method
}

/** Lets a call through to its handler, or throws the answer. */
export type XrpcGate = (call: XrpcCall<unknown, unknown, unknown>) => Promise<void> | void

/**
 * Registers a Fastify route for each method. The order of each request: parameters, authentication, body, gate,
 * handler; another verb is answered 405. HEAD works wherever GET does.
 *
 * @param gateOf returns the gate of a method, or undefined if it has none.
 */
export function registerMethods(
  app: FastifyInstance,
  lexicons: XrpcLexicons,
  methods: readonly AnyXrpcMethod[],
  gateOf: (nsid: string) => XrpcGate | undefined = () => undefined,
): void {
  for (const each of methods) {
    const method = gated(each, gateOf(each.nsid))
    const definition = lexicons.methodOf(method.nsid)
    if (definition === undefined) throw new Error(`no lexicon document describes ${method.nsid}`)
    if (definition.type === 'query') registerQuery(app, lexicons, method)
    else registerProcedure(app, lexicons, method, definition.inputEncoding)
  }
}

function gated(method: AnyXrpcMethod, gate: XrpcGate | undefined): AnyXrpcMethod {
  if (gate === undefined) return method
  const handler: AnyXrpcMethod['handler'] = (call) => {
    const open = gate(call)
    return open instanceof Promise ? open.then(() => method.handler(call)) : method.handler(call)
  }
  return { ...method, handler }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Parameters and caller of an XRPC request, between its hooks and its handler. */
    xrpc: { params: unknown; auth: unknown } | undefined
  }
}

function registerQuery(app: FastifyInstance, lexicons: XrpcLexicons, method: AnyXrpcMethod): void {
  const url = `/xrpc/${method.nsid}`
  refuse(app, url, ['POST'], 'GET')
  app.get(url, {
    ...(method.isCompressible === false ? { compress: false } : {}),
    onRequest: (request, reply, done) => identify(lexicons, method, { request, reply, done }),
    handler: (request, reply) => run(method, request, reply, undefined),
  })
}

function registerProcedure(
  app: FastifyInstance,
  lexicons: XrpcLexicons,
  method: AnyXrpcMethod,
  encoding: string | undefined,
): void {
  const url = `/xrpc/${method.nsid}`
  refuse(app, url, ['GET'], 'POST')
  void app.register((scope, _options, done) => {
    const takesBytes = encoding !== undefined && encoding !== 'application/json'
    if (encoding !== 'application/json') {
      scope.removeAllContentTypeParsers()
      // Bytes are the handler's to stream and to bound.
      if (takesBytes) scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
      else scope.addContentTypeParser('*', refuseBytes)
    }
    scope.post(url, {
      ...(method.inputBytesMax === undefined ? {} : { bodyLimit: method.inputBytesMax }),
      onRequest: (request, reply, done) => identify(lexicons, method, { request, reply, done }),
      preParsing: (request, _reply, payload, done) => {
        checkEncoding(encoding, request)
        done(null, decodedBody(request, payload))
      },
      handler: (request, reply) => {
        const input =
          takesBytes || encoding === undefined
            ? request.body
            : lexicons.validateInput(method.nsid, request.body)
        return run(method, request, reply, input)
      },
    })
    done()
  })
}

const unexpectedBody = 'A request body was provided when none was expected'

/** Reads the body of a method that takes none: a client or proxy may send an empty one in chunks. */
function refuseBytes(
  _request: FastifyRequest,
  payload: RequestPayload,
  done: (error: Error | null) => void,
): void {
  const accept = (): void => done(null)
  payload.once('end', accept)
  payload.once('error', done)
  payload.once('data', () => {
    payload
      .off('end', accept)
      .off('error', done)
      .on('error', () => {})
      .pause()
    // What else comes is not read, so the connection cannot be used again.
    done(new XrpcError(400, 'InvalidRequest', unexpectedBody, { headers: { connection: 'close' } }))
  })
}

/** Refuses a body whose type is not the method's: before it is read. */
function checkEncoding(expected: string | undefined, request: FastifyRequest): void {
  const length = Number(request.headers['content-length'] ?? 0)
  const hasBody = request.headers['transfer-encoding'] !== undefined || length > 0
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (expected === undefined) {
    if (length > 0) throw invalidRequest(unexpectedBody)
    return
  }
  if (type === undefined || type === '') {
    if (!hasBody && expected === 'application/json')
      throw invalidRequest('A request body is expected but none was provided')
    throw invalidRequest('Request encoding (Content-Type) required but not provided')
  }
  if (expected !== '*/*' && type !== expected)
    throw invalidRequest(`Wrong request encoding (Content-Type): ${type}`)
}

/** Reads parameters and credentials. Without a promise where the method's check needs none. */
function identify(
  lexicons: XrpcLexicons,
  method: AnyXrpcMethod,
  { request, reply, done }: { request: FastifyRequest; reply: FastifyReply; done: HookHandlerDoneFunction },
): void {
  const params = lexicons.validateParams(method.nsid, request.query as Record<string, unknown>)
  if (request.headers.authorization !== undefined) {
    reply.header('cache-control', 'private').header('vary', 'authorization')
  }
  const next = (auth: unknown): void => {
    request.xrpc = { params, auth }
    done()
  }
  const auth: unknown = method.auth(request, reply)
  if (auth instanceof Promise) auth.then(next, done)
  else next(auth)
}

function run(method: AnyXrpcMethod, request: FastifyRequest, reply: FastifyReply, input: unknown): unknown {
  const { params, auth } = request.xrpc ?? { params: undefined, auth: undefined }
  const output = method.handler({ host: request.pdsHost, params, input, auth, request, reply })
  return output instanceof Promise ? output.then((value) => answer(reply, value)) : answer(reply, output)
}

function answer(reply: FastifyReply, output: unknown): FastifyReply {
  if (output instanceof UpstreamAnswer) return output.send(reply)
  if (output instanceof RawAnswer) return reply.header('content-type', output.encoding).send(output.body)
  if (reply.sent) return reply
  if (output === undefined) return reply.send()
  return reply.header('content-type', jsonType).send(JSON.stringify(output))
}

function refuse(app: FastifyInstance, url: string, methods: HTTPMethods[], expected: string): void {
  app.route({
    method: methods,
    url,
    exposeHeadRoute: false,
    handler: (request) => {
      throw new XrpcError(
        405,
        'InvalidRequest',
        `Incorrect HTTP method (${request.method}) expected ${expected}`,
        {
          headers: { allow: expected },
        },
      )
    },
  })
}
