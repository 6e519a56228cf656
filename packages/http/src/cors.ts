import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** Response headers that browsers let a page of another origin read (SPEC XR-7). */
const exposedHeaders = [
  'dpop-nonce',
  'www-authenticate',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'ratelimit-policy',
  'retry-after',
  'atproto-repo-rev',
  'atproto-content-labelers',
  'etag',
]

/** Lets pages of every origin call the server; credentials travel in headers, never in cookies. */
export async function registerCors(app: FastifyInstance): Promise<void> {
  await app.register(cors, {
    origin: '*',
    methods: ['GET', 'HEAD', 'POST'],
    maxAge: 86_400,
    exposedHeaders,
    strictPreflight: false,
  })
}
