import { hash, randomBytes } from 'node:crypto'

import { JoseKey } from '@atproto/oauth-client-node'
import { must } from '@rookery/std'

import { TestBrowser } from './oauth-flow.ts'
import { type Answer, TestApi } from './test-api.ts'

export type Person = { did: string; handle: string; password: string }
type Form = Record<string, string>

/** What differs from an honest proof; `key` signs it, `header` is its header. */
type ProofChange = { key?: JoseKey; header?: object; claims?: object }
type SendOptions = { host?: string; pod?: number; proof?: ProofChange | string | null }

export type Tokens = { access_token: string; refresh_token: string; scope: string; sub: string }

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const redirectUri = 'http://127.0.0.1/callback'

/** An api with an account on it, and an app of the developer's own that the account can sign in to. */
export async function startWithApp(): Promise<{ api: TestApi; alice: Person; app: RawApp }> {
  const api = await TestApi.start()
  const alice = { ...(await api.signUp('alice')), password: 'alice-pass' }
  return { api, alice, app: await RawApp.local(api) }
}

/** An app that speaks the protocol by hand, so that a test can speak it wrong. */
export class RawApp {
  readonly #api: TestApi
  readonly key: JoseKey
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: string
  /** Key of a confidential app, with which it proves who it is. */
  clientKey: JoseKey | undefined
  readonly #nonces = new Map<string, string>()
  #pod = 0

  private constructor(api: TestApi, key: JoseKey, app: { id: string; redirectUri: string; scope: string }) {
    this.#api = api
    this.key = key
    this.clientId = app.id
    this.redirectUri = app.redirectUri
    this.scope = app.scope
  }

  /** An app on the user's own machine. */
  static async local(api: TestApi, scope = 'atproto transition:generic'): Promise<RawApp> {
    const query = new URLSearchParams({ redirect_uri: redirectUri, scope })
    const app = { id: `http://localhost?${query.toString()}`, redirectUri, scope }
    return new RawApp(api, await JoseKey.generate(['ES256'], 'proofs'), app)
  }

  /** An app whose metadata is published at `id`, as the test has put it into the api's `web`. */
  static async published(api: TestApi, id: string, clientKey?: JoseKey): Promise<RawApp> {
    const { redirect_uris, scope } = api.web.get(id) as { redirect_uris: string[]; scope: string }
    const app = new RawApp(api, await JoseKey.generate(['ES256'], 'proofs'), {
      id,
      redirectUri: must(redirect_uris[0]),
      scope,
    })
    app.clientKey = clientKey
    return app
  }

  /** A proof of the key for a request; an honest one unless told otherwise. */
  proof(method: string, url: string, { key = this.key, header, claims }: ProofChange = {}): Promise<string> {
    const nonce = this.#nonces.get(new URL(url).host)
    return key.createJwt(
      { alg: 'ES256', typ: 'dpop+jwt', jwk: key.bareJwk, ...header },
      {
        iat: Math.floor(Date.now() / 1_000),
        jti: randomBytes(12).toString('base64url'),
        htm: method,
        htu: url,
        ...(nonce === undefined ? {} : { nonce }),
        ...claims,
      },
    )
  }

  /** Posts a form, without what is empty, to an endpoint of the authorization server, to one pod after the other. */
  async send(path: string, form: Form, options: SendOptions = {}): Promise<Answer> {
    const { host = 'one.test', proof = {} } = options
    if (proof !== null && typeof proof !== 'string') await this.#learnNonce(host)
    const url = `https://${host}${path}`
    const dpop = typeof proof === 'string' ? proof : proof && (await this.proof('POST', url, proof))
    const payload = new URLSearchParams({
      client_id: this.clientId,
      ...(await this.#assertion(host)),
      ...form,
    })
    return this.#api.request(
      { method: 'POST', url: path, payload: payload.toString() },
      {
        host,
        pod: options.pod ?? this.#pod++ % this.#api.pods.length,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...(dpop === null ? {} : { dpop }),
        },
      },
    )
  }

  /** Pushes a request; `verifier` is the secret of its challenge. */
  push(change: Form = {}, options: SendOptions & { verifier?: string } = {}): Promise<Answer> {
    const { verifier = randomBytes(32).toString('base64url'), ...rest } = options
    const form = {
      response_type: 'code',
      redirect_uri: this.redirectUri,
      scope: this.scope,
      state: 'a state',
      code_challenge: challengeOf(verifier),
      code_challenge_method: 'S256',
      ...change,
    }
    return this.send('/oauth/par', form, rest)
  }

  authorizeUrl(requestUri: string, host = 'one.test'): string {
    const query = new URLSearchParams({ client_id: this.clientId, request_uri: requestUri })
    return `https://${host}/oauth/authorize?${query.toString()}`
  }

  /** Lets the account's owner sign in and consent; returns where the browser was sent and the code. */
  async authorize(
    who: Person,
    change: Form = {},
    { scope, browser = new TestBrowser(this.#api) }: { scope?: string; browser?: TestBrowser } = {},
  ): Promise<{ sent: URL; code: string; verifier: string; requestUri: string }> {
    const verifier = randomBytes(32).toString('base64url')
    const { body } = await this.push(change, { verifier })
    if (body.request_uri === undefined) throw new Error(`refused: ${JSON.stringify(body)}`)
    await browser.open(this.authorizeUrl(body.request_uri))
    await browser.signIn(who.handle, who.password)
    const sent = await browser.consent(who.did, scope)
    return { sent, code: sent.searchParams.get('code') ?? '', verifier, requestUri: body.request_uri }
  }

  exchange(grant: { code: string; verifier: string }, options: SendOptions = {}, change: Form = {}) {
    const form = { code: grant.code, code_verifier: grant.verifier, redirect_uri: this.redirectUri }
    return this.send('/oauth/token', { grant_type: 'authorization_code', ...form, ...change }, options)
  }

  refresh(tokens: Tokens, options: SendOptions = {}, change: Form = {}): Promise<Answer> {
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, ...change }
    return this.send('/oauth/token', form, options)
  }

  /** Signs in, whole: returns the tokens. */
  async signIn(who: Person, options: { scope?: string } = {}): Promise<Tokens> {
    const { body, status } = await this.exchange(await this.authorize(who, {}, options))
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body
  }

  /** Calls a query of the api with the access token. */
  async call(tokens: Tokens, options: SendOptions & { nsid?: string } = {}): Promise<Answer> {
    const { host = 'one.test', proof = {}, nsid = 'com.atproto.server.getSession' } = options
    await this.#learnNonce(host)
    const url = `https://${host}/xrpc/${nsid}`
    const claims = { ath: hash('sha256', tokens.access_token, 'base64url') }
    const dpop =
      proof === null || typeof proof === 'string'
        ? proof
        : await this.proof('GET', url, { ...proof, claims: { ...claims, ...proof.claims } })
    const headers = {
      authorization: `DPoP ${tokens.access_token}`,
      ...(dpop === null ? {} : { dpop }),
    }
    const pod = options.pod ?? this.#pod++ % this.#api.pods.length
    return this.#api.request({ method: 'GET', url: `/xrpc/${nsid}` }, { host, pod, headers })
  }

  async #learnNonce(host: string): Promise<void> {
    if (this.#nonces.has(host)) return
    const { headers } = await this.#api.request({ method: 'POST', url: '/oauth/token' }, { host })
    this.#nonces.set(host, String(headers['dpop-nonce']))
  }

  async #assertion(host: string): Promise<Form> {
    if (this.clientKey === undefined) return {}
    const assertion = await this.assert({ aud: `https://${host}` })
    return { client_assertion_type: assertionType, client_assertion: assertion }
  }

  /** An assertion of a confidential app, under the key's own name unless told otherwise; null: under none. */
  async assert(claims: object, kid: string | null = must(this.clientKey?.kid)): Promise<string> {
    const { privateJwk } = must(this.clientKey)
    const named = kid === null ? {} : { kid }
    const key = await JoseKey.fromJWK({ ...privateJwk, kid: undefined, ...named })
    return key.createJwt(
      { alg: 'ES256', ...named },
      {
        iss: this.clientId,
        sub: this.clientId,
        iat: Math.floor(Date.now() / 1_000),
        jti: randomBytes(12).toString('base64url'),
        ...claims,
      },
    )
  }
}

export function challengeOf(verifier: string): string {
  return hash('sha256', verifier, 'base64url')
}

/** Metadata of an app on the web, as it publishes it at its id. */
export function publishedApp(id: string): Record<string, unknown> {
  return {
    client_id: id,
    client_name: 'A bank that you trust',
    redirect_uris: [new URL('/callback', id).href],
    scope: 'atproto transition:generic transition:email',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'web',
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  }
}

/** What makes an app a confidential one. */
export function confidentialApp(id: string, ...keys: JoseKey[]): Record<string, unknown> {
  return {
    ...publishedApp(id),
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: keys.map(({ publicJwk }) => publicJwk) },
  }
}
