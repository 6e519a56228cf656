/** What the declarations say of a method, found out by asking them: they are functions of the call. */
import type { ScopePermissions } from '@atproto/oauth-scopes'
import type { XrpcCall } from '@rookery/http'
import type { FastifyRequest } from 'fastify'

import { oauthRules } from '../../src/auth/oauth-rules.ts'
import { methodCharges } from '../../src/limits/method-charges.ts'

// oxlint-disable-next-line typescript/no-explicit-any
const call = {
  request: { ip: '192.0.2.1' },
  auth: { did: 'did:plc:caller' },
  input: { did: 'did:plc:other', identifier: 'a.test', email: 'a@mail.test', writes: [] },
} as unknown as XrpcCall<any, any, any>

/** Returns the buckets that a method takes points from, besides those of every request. */
export function bucketsOf(nsid: string): string[] {
  return (methodCharges[nsid]?.(call) ?? []).map(({ bucket }) => bucket)
}

/** Returns what an app needs to call the method by OAuth, or undefined if it may not. */
export function oauthRuleOf(nsid: string): string | undefined {
  const rule = oauthRules[nsid]
  if (rule === undefined) return undefined
  const wanted: string[] = []
  const permissions = {
    assertAccount: ({ attr, action }: Record<string, string>) =>
      wanted.push(`account:${attr}?action=${action}`),
    assertBlob: () => wanted.push('blob:(type)'),
    assertIdentity: ({ attr }: Record<string, string>) => wanted.push(`identity:${attr}`),
    assertRpc: () => wanted.push('rpc:(lxm)?aud=(aud)'),
  } as unknown as ScopePermissions
  rule(permissions, { query: {}, headers: {} } as FastifyRequest)
  return wanted.join(' ')
}
