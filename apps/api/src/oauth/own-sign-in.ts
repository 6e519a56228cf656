import type { OAuthProvider } from '@atproto/oauth-provider/provider'
import type { DeviceAccount, DeviceId } from '@atproto/oauth-provider/store'
import type { Database } from '@rookery/db'
import { findPushedParameters } from '@rookery/oauth'
import type { FastifyRequest } from 'fastify'

/** What an app wants of the sign-in that only the provider's own page does. */
const providersPrompts = ['none', 'create']

/** What it wants though somebody is signed in already. */
const askingPrompts = ['login', 'select_account']

/**
 * Returns where our own sign-in page is, for a browser that an app sent here and in which nobody is signed in, or not
 * the one whom the app asks for, or whom it wants to sign in anew or to choose: the provider's page knows no second
 * factor but codes by mail. It leads back. Undefined if the provider's page is to be shown, which `pages=provider` asks
 * for.
 */
export async function ownSignInPage(
  deps: { db: Pick<Database, 'pool'> },
  provider: OAuthProvider,
  request: FastifyRequest,
): Promise<string | undefined> {
  const query = request.query as { pages?: unknown; request_uri?: unknown }
  if (request.method !== 'GET' || request.url.split('?', 1)[0] !== '/oauth/authorize') return undefined
  if (query.pages === 'provider') return undefined
  const parameters = await findPushedParameters(deps.db, request.pdsHost.id, String(query.request_uri))
  if (parameters === undefined || providersPrompts.includes(parameters.prompt ?? '')) return undefined
  const { login_hint: hint, prompt, ui_locales: locales } = parameters
  const isAsking = askingPrompts.includes(prompt ?? '')
  if (!isAsking && (await isSignedIn(provider, request, hint))) return undefined
  const page = new URLSearchParams({
    next: request.url,
    ...(hint === undefined ? {} : { username: hint }),
    ...(locales === undefined ? {} : { ui_locales: locales }),
    ...(prompt === 'select_account' ? { choose: 'yes' } : {}),
  })
  return `/sign-in?${page.toString()}`
}

/** This decides about a page, not about a sign-in: that the cookie alone names the browser is enough. */
async function isSignedIn(
  provider: OAuthProvider,
  { raw }: FastifyRequest,
  hint: string | undefined,
): Promise<boolean> {
  const deviceId = /(?:^|;\s*)(?:__Host-)?dev-id=(dev-[0-9a-f]{32})(?:;|$)/.exec(
    raw.headers.cookie ?? '',
  )?.[1]
  if (deviceId === undefined) return false
  const accounts: DeviceAccount[] = await provider.accountManager.listDeviceAccounts(deviceId as DeviceId)
  return accounts.some(
    (one) =>
      !provider.checkLoginRequired(one) &&
      (hint === undefined || hint === one.account.did || hint === one.account.handle),
  )
}
