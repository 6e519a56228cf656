import type { IncomingMessage } from 'node:http'

import { type Handler, oauthMiddleware } from '@atproto/oauth-provider/middleware'
import type { OAuthProvider } from '@atproto/oauth-provider/provider'
import type { DeviceAccount } from '@atproto/oauth-provider/store'
import type { Database } from '@rookery/db'
import { XrpcError } from '@rookery/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { type UncheckedInput, pageApi, pageCharges } from '../limits/page-charges.ts'
import type { RateLimiter } from '../limits/rate-limiter.ts'
import { ownSignInPage } from './own-sign-in.ts'
import { mendPages } from './page-mends.ts'
import { prepareForProvider } from './provider-request.ts'
import type { OAuthProviders } from './providers.ts'
import { readTwice } from './read-twice.ts'

/** What the authorization server answers, besides its own metadata, and to which verbs. */
const routes: Readonly<Record<string, readonly ('GET' | 'POST')[]>> = {
  '/oauth/par': ['POST'],
  '/oauth/token': ['POST'],
  '/oauth/revoke': ['POST'],
  '/oauth/jwks': ['GET'],
  '/oauth/authorize': ['GET'],
  '/oauth/authorize/redirect': ['GET'],
  '/account': ['GET'],
  '/account/*': ['GET'],
  '/@atproto/oauth-provider/*': ['GET', 'POST'],
}

const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * Registers the host's authorization server (SPEC §10) with its pages, and what tells apps where it is. The server is
 * a handler of Node's own requests: Fastify finds the host and then hands the request over.
 *
 * @param deps.rateLimiter without it, nothing is limited.
 */
export function registerOAuth(
  app: FastifyInstance,
  deps: { oauth: OAuthProviders; db: Pick<Database, 'pool'>; rateLimiter?: RateLimiter | undefined },
): void {
  app.get('/.well-known/oauth-protected-resource', (request) => ({
    resource: request.pdsHost.publicUrl,
    authorization_servers: [request.pdsHost.publicUrl],
    scopes_supported: [],
    bearer_methods_supported: ['header'],
    resource_documentation: 'https://atproto.com',
  }))
  app.get('/.well-known/oauth-authorization-server', (request) =>
    deps.oauth.get(request.pdsHost).then(({ metadata }) => metadata),
  )
  app.get('/.well-known/change-password', (_request, reply) => reply.redirect('/account/reset-password'))
  const handlers = new WeakMap<OAuthProvider, Handler>()
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null, undefined))
    for (const [url, taken] of Object.entries(routes)) {
      scope.route({
        method: [...verbs],
        url,
        exposeHeadRoute: false,
        handler: (request, reply) =>
          answering(reply, async () => {
            assertVerb(request, taken)
            assertPushed(request)
            const { raw, input } = await charged(deps.rateLimiter, request, reply)
            const provider = await deps.oauth.get(request.pdsHost)
            if (isSessionEnd(request)) await assertOwner(provider, { request, reply, raw }, input)
            const own = await ownSignInPage(deps, provider, request)
            if (own !== undefined) {
              await reply.redirect(own, 303)
              return
            }
            const handler = handlers.get(provider) ?? oauthMiddleware(provider, { onError: logError })
            handlers.set(provider, handler)
            handOver(handler, provider, { request, reply, raw })
          }),
      })
    }
    done()

    function logError(_request: unknown, _response: unknown, error: unknown, message: string): void {
      const isTheirs = error instanceof Error && 'status' in error && Number(error.status) < 500
      app.log[isTheirs ? 'debug' : 'error']({ err: error }, message)
    }
  })
}

/** Does the work; what we refuse ourselves is answered as the provider answers, for pages and clients alike. */
async function answering(reply: FastifyReply, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof XrpcError)) throw error
    const { status, headers, message } = error
    await reply
      .code(status)
      .headers(headers)
      .send({ error: error.error, error_description: message, message })
  }
}

/** Takes the request's points; returns what the provider may read, and what the pages' script sent. */
async function charged(
  rateLimiter: RateLimiter | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<{ raw: IncomingMessage; input: UncheckedInput }> {
  const { raw } = request
  const isByPage = request.method === 'POST' && request.url.startsWith(pageApi)
  const { input, again } = isByPage ? await readTwice(raw) : { input: {}, again: raw }
  await rateLimiter?.charge(request, reply, pageCharges(request, input))
  return { raw: again, input }
}

function isSessionEnd({ method, url }: FastifyRequest): boolean {
  return method === 'POST' && url.split('?', 1)[0] === `${pageApi}revoke-account-session`
}

/** The provider would end the session of any browser for whoever knows its name: only a browser of the account's may. */
async function assertOwner(
  provider: OAuthProvider,
  call: { request: FastifyRequest; reply: FastifyReply; raw: IncomingMessage },
  { did }: UncheckedInput,
): Promise<void> {
  const { reply, raw } = call
  prepareForProvider(provider, call)
  const { deviceId } = await provider.deviceManager.load(raw, reply.raw)
  const accounts: DeviceAccount[] = await provider.accountManager.listDeviceAccounts(deviceId)
  if (accounts.some((one) => one.account.did === did && !provider.checkLoginRequired(one))) return
  throw new XrpcError(401, 'unauthorized', 'Sign in first')
}

function handOver(
  handler: Handler,
  provider: OAuthProvider,
  { request, reply, raw }: { request: FastifyRequest; reply: FastifyReply; raw: IncomingMessage },
): void {
  reply.hijack()
  reply.raw.setHeader('x-request-id', request.id)
  prepareForProvider(provider, { request, reply, raw })
  mendPages(reply.raw)
  // Node sends no body to whoever asked for the head only.
  if (raw.method === 'HEAD') raw.method = 'GET'
  handler.call(undefined, raw, reply.raw)
}

function assertVerb({ method }: FastifyRequest, taken: readonly string[]): void {
  if (taken.includes(method === 'HEAD' ? 'GET' : method)) return
  const headers = { allow: taken.includes('GET') ? ['HEAD', ...taken].join(', ') : taken.join(', ') }
  throw new XrpcError(405, 'invalid_request', 'Method Not Allowed', { headers })
}

/** Parameters of an authorization request come through PAR, and never through the browser (SPEC OA-5). */
function assertPushed(request: FastifyRequest): void {
  if (request.url.split('?', 1)[0] !== '/oauth/authorize') return
  const { request_uri: requestUri } = request.query as { request_uri?: unknown }
  if (typeof requestUri === 'string' && requestUri !== '') return
  throw new XrpcError(400, 'invalid_request', 'Authorization requests must be pushed (RFC 9126)')
}
