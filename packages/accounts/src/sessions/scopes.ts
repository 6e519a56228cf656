/** Scope of every refresh token. */
export const refreshScope = 'com.atproto.refresh'

const accessScopes = [
  'com.atproto.access',
  'com.atproto.appPassPrivileged',
  'com.atproto.appPass',
  'com.atproto.signupQueued',
  'com.atproto.takendown',
] as const

/** What a session may do (SPEC AU-4). */
export type AccessScope = (typeof accessScopes)[number]

/** Sessions that signed in with the account's own password. */
export const fullScopes: readonly AccessScope[] = ['com.atproto.access']

/** Those and app passwords with access to chat. */
export const privilegedScopes: readonly AccessScope[] = [...fullScopes, 'com.atproto.appPassPrivileged']

/** Those and all other app passwords. */
export const standardScopes: readonly AccessScope[] = [...privilegedScopes, 'com.atproto.appPass']

/** Tells whether the text is a scope of access tokens. */
export function isAccessScope(text: unknown): text is AccessScope {
  return accessScopes.some((scope) => scope === text)
}
