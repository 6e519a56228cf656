import { hash, timingSafeEqual } from 'node:crypto'

import type { Credentials } from './authorization-header.ts'

/** The operator reads what is otherwise the account's own. */
export type AdminAuth = { type: 'admin' }

/** Tells whether the credentials are the operator's, in the same time whatever they are. */
export function isAdmin(adminPassword: string, credentials: Credentials): boolean {
  if (credentials.scheme !== 'basic') return false
  const offered = Buffer.from(credentials.value, 'base64').toString()
  return timingSafeEqual(digest(offered), digest(`admin:${adminPassword}`))
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
