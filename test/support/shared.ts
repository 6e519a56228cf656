import { resolve } from 'node:path'

/** Where the interoperability vectors and real repositories lie: `ROOKERY_SHARED`, or `shared` beside the checkout. */
export const sharedDirectory: string =
  process.env['ROOKERY_SHARED'] ?? resolve(import.meta.dirname, '../../../shared')
