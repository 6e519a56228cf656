import {
  type Key,
  NodeOAuthClient,
  type OAuthClientMetadataInput,
  type NodeSavedSession,
  type NodeSavedState,
} from '@atproto/oauth-client-node'
import type { InjectOptions } from 'fastify'

import type { TestApi } from './test-api.ts'

const pages = '/@atproto/oauth-provider/~api'

/** `fetch` for the hosts of the api under test, one request to each pod in turn; all else goes to the network. */
export function fetchOf(api: TestApi): typeof fetch {
  let turn = 0
  return async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    if (!url.hostname.endsWith('.test')) return fetch(request)
    const payload = Buffer.from(await request.arrayBuffer())
    const answer = await api.pods[turn++ % api.pods.length]!.app.inject({
      method: request.method as 'GET',
      url: `${url.pathname}${url.search}`,
      headers: { ...Object.fromEntries(request.headers), host: url.host },
      ...(payload.length === 0 ? {} : { payload }),
    })
    const headers = new Headers()
    for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value))
    const isEmpty = answer.statusCode === 204 || answer.statusCode === 304
    return new Response(isEmpty ? null : answer.rawPayload, { status: answer.statusCode, headers })
  }
}

/** An app on the user's own machine, with the official client (SPEC OA-15). */
export function localApp(api: TestApi, scope: string): NodeOAuthClient {
  const redirect = 'http://127.0.0.1/callback'
  const query = new URLSearchParams({ redirect_uri: redirect, scope })
  return app(api, {
    client_id: `http://localhost?${query.toString()}`,
    redirect_uris: [redirect],
    scope,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  })
}

/** An app with the official client; `keyset` makes it a confidential one. */
function app(api: TestApi, clientMetadata: OAuthClientMetadataInput, keyset?: Key[]): NodeOAuthClient {
  const states = new Map<string, NodeSavedState>()
  const sessions = new Map<string, NodeSavedSession>()
  return new NodeOAuthClient({
    fetch: fetchOf(api),
    clientMetadata,
    ...(keyset === undefined ? {} : { keyset }),
    allowHttp: true,
    plcDirectoryUrl: api.plc.url,
    handleResolver: { resolve: async (handle) => ((await handleDid(api, handle)) ?? null) as never },
    requestLock: async (_name, work) => work(),
    stateStore: storeOf(states),
    sessionStore: storeOf(sessions),
  })
}

async function handleDid(api: TestApi, handle: string): Promise<string | undefined> {
  const { body } = await api.get('com.atproto.identity.resolveHandle', { handle })
  return body.did
}

function storeOf<Value>(values: Map<string, Value>) {
  return {
    get: async (key: string) => values.get(key),
    set: async (key: string, value: Value) => void values.set(key, value),
    del: async (key: string) => void values.delete(key),
  }
}

/** What a page's script is answered. */
type PageAnswer = { status: number; body: any; headers: Record<string, unknown> }

/** As much of a browser as the sign-in pages need: cookies, and the headers that a page's own script cannot set. */
export class TestBrowser {
  readonly #api: TestApi
  readonly #host: string
  readonly cookies = new Map<string, string>()
  /** Of the page that is open. */
  headers: Record<string, unknown> = {}
  #pod = 0
  #page = ''
  #bearer: string | undefined

  constructor(api: TestApi, host = 'one.test') {
    this.#api = api
    this.#host = host
  }

  /** Opens a page by a link of another site; where that leads to our own sign-in page, the provider's instead. */
  async open(url: string | URL): Promise<{ status: number; body: string; location: string | undefined }> {
    const answer = await this.#open(url)
    if (answer.location?.startsWith('/sign-in?') !== true) return answer
    const { searchParams } = new URL(answer.location, url)
    return this.#open(new URL(`${searchParams.get('next')}&pages=provider`, url))
  }

  async #open(url: string | URL): Promise<{ status: number; body: string; location: string | undefined }> {
    const { pathname, search } = new URL(url)
    const answer = await this.#inject({
      method: 'GET',
      url: `${pathname}${search}`,
      headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site' },
    })
    this.#page = `https://${this.#host}${pathname}${search}`
    const { location } = answer.headers
    this.headers = answer.headers
    return { status: answer.statusCode, body: answer.body, location: location?.toString() }
  }

  /** Calls what the page's own script calls. */
  async call(endpoint: string, input: object, change: Record<string, string> = {}): Promise<PageAnswer> {
    const answer = await this.#inject({
      method: 'POST',
      url: `${pages}/${endpoint}`,
      payload: input,
      headers: {
        'sec-fetch-mode': 'same-origin',
        'sec-fetch-site': 'same-origin',
        origin: `https://${this.#host}`,
        referer: this.#page,
        'x-csrf-token': this.cookies.get('csrf-token') ?? '',
        ...(this.#bearer === undefined ? {} : { authorization: `Bearer ${this.#bearer}` }),
        ...change,
      },
    })
    return { status: answer.statusCode, body: answer.json(), headers: answer.headers }
  }

  /** Signs in on the page that is open. */
  async signIn(
    username: string,
    password: string,
    options: { remember?: boolean } = {},
  ): Promise<PageAnswer> {
    return this.#entered(await this.call('sign-in', { locale: 'en', username, password, ...options }))
  }

  /** Signs up on the page that is open. */
  async signUp(input: object): Promise<PageAnswer> {
    return this.#entered(await this.call('sign-up', input))
  }

  /** Consents on the page that is open, and returns where the browser is then sent. */
  async consent(did: string, scope?: string): Promise<URL> {
    const { body } = await this.call('consent', { did, ...(scope === undefined ? {} : { scope }) })
    if (body.url === undefined) throw new Error(`no consent: ${JSON.stringify(body)}`)
    return new URL(body.url)
  }

  #entered(answer: PageAnswer): PageAnswer {
    this.#bearer = answer.body.ephemeralToken
    return answer
  }

  async #inject(request: InjectOptions) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#api.pods[this.#pod++ % this.#api.pods.length]!.app.inject({
      ...request,
      headers: { host: this.#host, 'user-agent': 'test browser', cookie, ...request.headers },
    })
    for (const { name, value } of answer.cookies) this.cookies.set(name, value)
    return answer
  }
}

/** Lets the account's owner sign in to an app and allow what it asks for; returns the app's session. */
export async function signInToApp(
  api: TestApi,
  client: NodeOAuthClient,
  who: { handle: string; password: string; did: string },
  options: { scope?: string } = {},
) {
  const browser = new TestBrowser(api)
  await browser.open(await client.authorize(who.handle, {}))
  await browser.signIn(who.handle, who.password)
  const sent = await browser.consent(who.did, options.scope)
  const { session } = await client.callback(sent.searchParams)
  return session
}
