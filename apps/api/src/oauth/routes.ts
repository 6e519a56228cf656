import { OAuthError } from '@atproto/oauth-provider/errors'
import { type Handler, oauthMiddleware } from '@atproto/oauth-provider/middleware'
import type { OAuthProvider } from '@atproto/oauth-provider/provider'
import { XrpcError } from '@rookery/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { tightenPageHeaders } from './page-headers.ts'
import type { OAuthProviders } from './providers.ts'

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
 * a handler of Node's own requests: Fastify finds the host and then hands the request over, body unread.
 */
export function registerOAuth(app: FastifyInstance, deps: { oauth: OAuthProviders }): void {
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
        handler: async (request, reply) => {
          assertVerb(request, taken)
          assertPushed(request)
          const provider = await deps.oauth.get(request.pdsHost)
          const handler = handlers.get(provider) ?? oauthMiddleware(provider, { onError: logError })
          handlers.set(provider, handler)
          handOver(handler, provider, { request, reply })
        },
      })
    }
    done()

    function logError(_request: unknown, _response: unknown, error: unknown, message: string): void {
      const isTheirs = error instanceof OAuthError && error.status < 500
      app.log[isTheirs ? 'debug' : 'error']({ err: error }, message)
    }
  })
}

function handOver(
  handler: Handler,
  provider: OAuthProvider,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): void {
  reply.hijack()
  const { raw } = request
  // Whoever the request comes from was found out with the proxies that we trust.
  raw.headers['x-forwarded-for'] = request.ip
  delete raw.headers['x-forwarded-port']
  reply.raw.setHeader('x-request-id', request.id)
  const isSecure = provider.issuer.startsWith('https:')
  tightenPageHeaders(raw, reply.raw, { isSecure, logo: provider.customization.branding?.logo })
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
