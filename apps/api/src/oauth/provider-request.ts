import type { IncomingMessage } from 'node:http'

import type { OAuthProvider } from '@atproto/oauth-provider/provider'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { tightenPageHeaders } from './page-headers.ts'

const prepared = new WeakSet<IncomingMessage>()

/**
 * Makes a request and its answer what the provider works with; once, however often it is asked.
 *
 * @param options.raw what is handed to the provider in the request's stead.
 */
export function prepareForProvider(
  provider: OAuthProvider,
  {
    request,
    reply,
    raw = request.raw,
  }: { request: FastifyRequest; reply: FastifyReply; raw?: IncomingMessage },
): void {
  if (prepared.has(raw)) return
  prepared.add(raw)
  // Whoever the request comes from was found out with the proxies that we trust.
  raw.headers['x-forwarded-for'] = request.ip
  delete raw.headers['x-forwarded-port']
  const isSecure = provider.issuer.startsWith('https:')
  tightenPageHeaders(raw, reply.raw, { isSecure, logo: provider.customization.branding?.logo })
}
