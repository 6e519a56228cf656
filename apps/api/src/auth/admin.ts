import { hash, timingSafeEqual } from 'node:crypto'

import { XrpcError } from '@rookery/http'
import type { FastifyRequest } from 'fastify'

import { type Credentials, findCredentials } from './authorization-header.ts'

/** The operator calls. */
export type AdminAuth = { type: 'admin' }

/** Returns the check of methods that are the operator's: HTTP Basic with user `admin`. */
export function adminAuth(adminPassword: string): (request: FastifyRequest) => AdminAuth {
  return (request) => {
    const credentials = findCredentials(request)
    if (credentials === undefined || !isAdmin(adminPassword, credentials)) {
      throw new XrpcError(401, 'AuthenticationRequired', 'Authentication Required', {
        headers: { 'www-authenticate': 'Basic realm="admin"' },
      })
    }
    return { type: 'admin' }
  }
}

/** Tells whether the credentials are the operator's, in the same time whatever they are. */
export function isAdmin(adminPassword: string, credentials: Credentials): boolean {
  if (credentials.scheme !== 'basic') return false
  const offered = Buffer.from(credentials.value, 'base64').toString()
  return timingSafeEqual(digest(offered), digest(`admin:${adminPassword}`))
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
