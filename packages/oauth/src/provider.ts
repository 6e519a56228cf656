import { hkdfSync } from 'node:crypto'

import {
  AccessTokenMode,
  type CustomizationConfig,
  JoseKey,
  Keyset,
  OAuthProvider,
} from '@atproto/oauth-provider/provider'
import type { OAuthHooks } from '@atproto/oauth-provider/hooks'
import type { AccountStore, DeviceAccount } from '@atproto/oauth-provider/store'
import type { Database } from '@rookery/db'
import type { Redis, RedisKeys } from '@rookery/redis'
import type { Logger } from '@rookery/telemetry'

import { PgDeviceStore } from './device-queries.ts'
import { Grants, type SignedInAccount } from './grant-queries.ts'
import { accessTokenMs, clientCacheMs } from './limits.ts'
import { type FindLexicon, PermissionSets, noLexicons } from './permission-sets.ts'
import { RedisCache } from './redis-cache.ts'
import { RedisReplayStore } from './replay-store.ts'
import { requestRules } from './request-rules.ts'
import type { LifetimesOf } from './session-lifetimes.ts'
import { PgRequestStore } from './request-queries.ts'
import { PgTokenStore } from './token-queries.ts'

export type OAuthProviderDeps = {
  log: Logger
  db: Pick<Database, 'pool'>
  redis: Pick<Redis, 'get' | 'set' | 'del'>
  keys: RedisKeys
  /** How long sessions last. */
  lifetimesOf: LifetimesOf
  /** Finds permission sets. */
  findLexicon: FindLexicon
  /** For what clients say of themselves: the servers are strangers'. */
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** Secret of the cluster that every key here is derived from. */
  secret: string
}

/** The host that a provider is for. */
export type OAuthHost = { id: number; hostname: string; publicUrl: string; serviceDid: string }

/** The captcha of a host's sign-up page, by hCaptcha. */
export type Captcha = { siteKey: string; secretKey: string; scoreThreshold?: number }

/** What is told of browsers that somebody signs in or up with. */
export type BrowserHooks = Required<Pick<OAuthHooks, 'onSignInAttempt' | 'onSignedIn' | 'onSignedUp'>>

/** How a host's pages look, and what they ask for. */
type PageOptions = Omit<CustomizationConfig, 'hcaptcha'> & { hcaptcha?: Captcha }

/**
 * Returns the authorization server of one host (SPEC §10): its issuer is the host's origin, and its keys are its own,
 * derived from the cluster's secret, so that all processes agree and no token of one host is good at another. Access
 * tokens carry no scope: what they may is read with each request, so that a revocation is in force at once.
 */
export async function createOAuthProvider(
  deps: OAuthProviderDeps,
  host: OAuthHost,
  options: { accountStore: AccountStore; hooks: BrowserHooks; customization: PageOptions },
): Promise<OAuthProvider> {
  const { db, redis, keys } = deps
  const tokenKey = await JoseKey.fromKeyLike(derive(deps.secret, host, 'tokens'), undefined, 'HS256')
  const { hcaptcha, ...customization } = options.customization
  const provider = new HostProvider({
    issuer: host.publicUrl,
    keyset: new Keyset([tokenKey]),
    dpopSecret: derive(deps.secret, host, 'dpop'),
    accessTokenMode: AccessTokenMode.stateful,
    tokenMaxAge: accessTokenMs,
    safeFetch: deps.fetch,
    lexResolver: new PermissionSets(deps.findLexicon),
    accountStore: options.accountStore,
    deviceStore: new PgDeviceStore(db, host.id),
    lexiconStore: noLexicons,
    replayStore: new RedisReplayStore(deps, host.id),
    requestStore: new PgRequestStore(db, host.id),
    tokenStore: new PgTokenStore(deps, host),
    clientMetadataCache: new RedisCache(redis, {
      keyOf: (id) => keys.oauthClient(id),
      keepMs: clientCacheMs,
    }),
    clientJwksCache: new RedisCache(redis, {
      keyOf: (uri) => keys.oauthClientKeys(uri),
      keepMs: clientCacheMs,
    }),
    // The one who calls has put the address that it believes behind the socket's own.
    trustProxy: (_address: string, index: number) => index === 0,
    metadata: { protected_resources: [new URL(host.publicUrl).origin] },
    ...customization,
    ...(hcaptcha && { hcaptcha: { ...hcaptcha, tokenSalt: saltOf(deps.secret, host) } }),
    ...requestRules(new Grants(deps, host)),
    ...options.hooks,
  })
  provider.verifyCaptchasWith(deps.fetch)
  return provider
}

/** The library's provider, in which each account's tenant says how long browsers stay signed in. */
class HostProvider extends OAuthProvider {
  override checkLoginRequired(deviceAccount: DeviceAccount): boolean {
    return (deviceAccount as SignedInAccount).signedInUntil.getTime() <= Date.now()
  }

  /** The library would ask hCaptcha without any limit of time or size. */
  verifyCaptchasWith(fetch: OAuthProviderDeps['fetch']): void {
    const client = this.accountManager['hcaptchaClient']
    if (client !== undefined) Object.assign(client, { fetch })
  }
}

function saltOf(secret: string, host: OAuthHost): string {
  return Buffer.from(derive(secret, host, 'captcha')).toString('base64url')
}

function derive(secret: string, host: OAuthHost, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, host.hostname, `rookery oauth ${purpose}`, 32))
}
