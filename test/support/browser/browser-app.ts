/** An app that runs in the browser: the official client, for tests to call. */
import { BrowserOAuthClient, type OAuthSession } from '@atproto/oauth-client-browser'

/** What a call of a host answered. */
export type AppAnswer = { status: number; body: unknown }

/** What the page of the app offers as `app`. */
export type BrowserApp = {
  /** Begins to sign in at a host: the page goes there. */
  signIn(host: string, scope: string): void
  /** Who is signed in, once the page has loaded; undefined if nobody is. */
  did(): Promise<string | undefined>
  /** Sends JSON to the host as whoever is signed in. */
  post(path: string, body: string): Promise<AppAnswer>
  /** When the access token expires; of a new one, if that is wanted. */
  expiry(isNew: boolean): Promise<string>
  /** Signs out, which revokes the tokens. */
  signOut(): Promise<void>
}

type Page = {
  settings: { plcUrl: string }
  app: BrowserApp
  location: { origin: string; pathname: string; hash: string }
  localStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void }
}

const page = globalThis as unknown as Page
const scopeKey = 'scope'

let session: Promise<OAuthSession | undefined>

page.app = {
  signIn: (host, scope) => {
    page.localStorage.setItem(scopeKey, scope)
    void client(scope).then((app) => app.signIn(host))
  },
  did: async () => (await session)?.did,
  post: async (path, body) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await (await signedIn()).fetchHandler(path, { method: 'POST', headers, body })
    return { status: answer.status, body: await answer.json() }
  },
  expiry: async (isNew) => {
    const { expiresAt } = await (await signedIn()).getTokenInfo(isNew)
    return expiresAt?.toISOString() ?? ''
  },
  signOut: async () => (await signedIn()).signOut(),
}

const scope = page.localStorage.getItem(scopeKey)
session =
  scope === null
    ? Promise.resolve(undefined)
    : client(scope)
        .then((app) => app.init())
        .then((was) => was?.session)

async function signedIn(): Promise<OAuthSession> {
  const signedIn = await session
  if (signedIn === undefined) throw new Error('nobody is signed in')
  return signedIn
}

/** The client of an app on a loopback address, which says all of itself in its name (SPEC OA-15). */
function client(scope: string): Promise<BrowserOAuthClient> {
  const query = new URLSearchParams({ redirect_uri: `${page.location.origin}/app`, scope })
  return BrowserOAuthClient.load({
    clientId: `http://localhost?${query.toString()}`,
    handleResolver: page.location.origin,
    plcDirectoryUrl: page.settings.plcUrl,
    allowHttp: true,
  })
}
