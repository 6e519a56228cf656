import type { OAuthProvider } from '@atproto/oauth-provider/provider'
import type { CustomizationConfig } from '@atproto/oauth-provider/provider'
import type { PdsHost } from '@rookery/http'
import { type Captcha, type OAuthProviderDeps, createOAuthProvider, providersMax } from '@rookery/oauth'
import { must } from '@rookery/std'
import { type HostDirectory, type Tenant, captchaOwner, findCaptchaSecret } from '@rookery/tenants'
import { LRUCache } from 'lru-cache'

import { openDomains } from '../accounts/open-domains.ts'
import { type AccountStoreDeps, HostAccountStore } from './account-store.ts'

export type OAuthProvidersDeps = OAuthProviderDeps &
  Omit<AccountStoreDeps, 'directory'> & { directory: HostDirectory }

type Kept = { look: string; tenant: Tenant; provider: Promise<OAuthProvider> }

/**
 * The authorization servers of the hosts, each made when it is first asked for and anew when its face has changed. The
 * least recently used is dropped first; nothing is lost with it, for what it knows is in Postgres.
 */
export class OAuthProviders {
  readonly #deps: OAuthProvidersDeps
  readonly #kept = new LRUCache<number, Kept>({ max: providersMax })

  constructor(deps: OAuthProvidersDeps) {
    this.#deps = deps
  }

  /** Returns the host's authorization server. */
  async get(pdsHost: PdsHost): Promise<OAuthProvider> {
    const { directory } = this.#deps
    const host = must(await directory.findHost(pdsHost.hostname))
    const tenant = must(await directory.findTenant(host.defaultTenantId))
    const kept = this.#kept.get(host.id)
    // The directory's own copy changes every few seconds; only then there is something to compare.
    if (kept?.tenant === tenant) return kept.provider
    const domains = await openDomains(directory, host.id)
    const hcaptcha = await this.#captchaOf(tenant)
    const customization = { ...customizationOf(tenant, domains), ...(hcaptcha && { hcaptcha }) }
    const look = JSON.stringify([host, customization])
    if (kept?.look === look) {
      kept.tenant = tenant
      return kept.provider
    }
    const accountStore = new HostAccountStore(this.#deps, host)
    const provider = createOAuthProvider(this.#deps, host, {
      accountStore,
      hooks: accountStore.hooks,
      customization,
    })
    this.#kept.set(host.id, { look, tenant, provider })
    return provider
  }

  /** Undefined without a captcha; without a secret for it nobody can sign up, for `signUp` wants one solved. */
  async #captchaOf({ id, settings }: Tenant): Promise<Captcha | undefined> {
    const { captchaSiteKey: siteKey, captchaScoreMax } = settings
    if (siteKey === null) return undefined
    const wrapped = await findCaptchaSecret(this.#deps.db.pool, id)
    if (wrapped === undefined) return undefined
    return {
      siteKey,
      secretKey: this.#deps.wrapper.unwrap(wrapped, captchaOwner({ id })).toString(),
      ...(captchaScoreMax === null ? {} : { scoreThreshold: captchaScoreMax }),
    }
  }
}

/** How the host's sign-in pages look: as its default tenant does. */
function customizationOf(tenant: Tenant, domains: readonly string[]): Omit<CustomizationConfig, 'hcaptcha'> {
  const { settings } = tenant
  const links = [
    { title: 'Terms of Service', href: settings.termsOfServiceUrl, rel: 'terms-of-service' },
    { title: 'Privacy Policy', href: settings.privacyPolicyUrl, rel: 'privacy-policy' },
    { title: 'Support', href: settings.supportUrl, rel: 'help' },
  ] as const
  return {
    availableUserDomains: [...domains],
    inviteCodeRequired: settings.inviteRequired,
    branding: {
      name: tenant.name,
      ...(settings.logoUrl === null ? {} : { logo: settings.logoUrl }),
      ...(settings.brandColor === null ? {} : { colors: { primary: settings.brandColor } }),
      links: links.flatMap(({ href, ...link }) => (href === null ? [] : [{ ...link, href }])),
    },
  }
}
