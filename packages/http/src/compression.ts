import { constants } from 'node:zlib'

import compress from '@fastify/compress'
import type { FastifyInstance } from 'fastify'

import { compressionBytesMin } from './limits.ts'

/** Between what a level costs and what it saves: half of the work of zlib's default for a few percent more bytes. */
const level = 4

const compressible = /^(application\/(json|vnd\.ipld\.car)|text\/(plain|html|css|javascript))\b/

/**
 * Compresses JSON, text and CARs for clients that ask for it (gzip, br), also while they are streamed. To be
 * registered before the routes; one with `compress: false` answers as it is.
 */
export async function registerCompression(app: FastifyInstance): Promise<void> {
  await app.register(compress, {
    encodings: ['br', 'gzip'],
    threshold: compressionBytesMin,
    customTypes: compressible,
    zlibOptions: { level },
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: level } },
    // Request bodies are decoded where they are read, see `decodedBody`.
    globalDecompression: false,
  })
}
