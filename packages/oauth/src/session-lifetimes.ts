import type { TokenInfo } from '@atproto/oauth-provider/store'

/** How long sessions of a tenant's accounts last, in milliseconds. The provider's own bounds hold besides. */
export type SessionLifetimes = {
  /** A browser, after its owner proved to be there. */
  browserMs: number
  /** Apps that cannot keep a secret: the whole session, and how long it may rest (SPEC OA-25). */
  publicSessionMs: number
  publicRefreshMs: number
  /** Apps that prove with a key who they are. */
  confidentialSessionMs: number
  confidentialRefreshMs: number
}

/** Returns what an account's tenant decides; asked with each use, so that a change is in force at once. */
export type LifetimesOf = (tenantId: number) => Promise<SessionLifetimes>

/** Tells whether an app's session is over, or may not be refreshed because it rested for too long. */
export function isSessionOver(
  { data }: Pick<TokenInfo, 'data'>,
  lifetimes: SessionLifetimes,
  { isRefresh }: { isRefresh: boolean },
): boolean {
  const isPublic = data.clientAuth.method === 'none'
  const sessionMs = isPublic ? lifetimes.publicSessionMs : lifetimes.confidentialSessionMs
  const refreshMs = isPublic ? lifetimes.publicRefreshMs : lifetimes.confidentialRefreshMs
  const now = Date.now()
  if (now - data.createdAt.getTime() >= sessionMs) return true
  return isRefresh && now - data.updatedAt.getTime() >= refreshMs
}
