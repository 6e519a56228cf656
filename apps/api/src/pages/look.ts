import { chooseLocale, readableOn, textOn } from '@rookery/mail'
import { must } from '@rookery/std'
import type { HostDirectory, Locale, Tenant } from '@rookery/tenants'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** How a page looks, and in which language it speaks. */
export type Look = {
  /** The tenant in whose name it is shown. */
  brand: string
  logoUrl: string | null
  /** `#rrggbb`, as the tenant chose it: `brandColors` makes it readable. */
  brandColor: string
  termsUrl: string | null
  privacyUrl: string | null
  supportUrl: string | null
  locale: Locale
}

/** What pages are drawn on. */
export const backgrounds = { light: '#ffffff', dark: '#15181d' } as const

/** Colour of tenants that chose none. */
const defaultBrandColor = '#1f4b99'

const cookieName = 'ui-locale'

/**
 * Returns the look of the host's default tenant, in the language that was asked for by `ui_locales` (now, or earlier
 * with this browser), else by the browser, else the tenant's own.
 */
export async function lookOf(
  { directory }: { directory: HostDirectory },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Look> {
  const host = must(await directory.findHost(request.pdsHost.hostname))
  const { name, settings } = must(await directory.findTenant(host.defaultTenantId))
  return { ...faceOf(name, settings), locale: localeFor(request, reply) ?? settings.defaultLocale }
}

function faceOf(brand: string, settings: Tenant['settings']): Omit<Look, 'locale'> {
  return {
    brand,
    logoUrl: settings.logoUrl,
    brandColor: settings.brandColor ?? defaultBrandColor,
    termsUrl: settings.termsOfServiceUrl,
    privacyUrl: settings.privacyPolicyUrl,
    supportUrl: settings.supportUrl,
  }
}

function localeFor(request: FastifyRequest, reply: FastifyReply): Locale | undefined {
  const { ui_locales: asked } = (request.query ?? {}) as { ui_locales?: unknown }
  const chosen = typeof asked === 'string' ? fromUiLocales(asked) : undefined
  if (chosen !== undefined) remember(request, reply, chosen)
  return chosen ?? remembered(request) ?? chooseLocale(request.headers['accept-language'])
}

/** Names of languages with blanks between, the preferred one first (OpenID Connect, 3.1.2.1). */
function fromUiLocales(text: string): Locale | undefined {
  const tags = text.trim().split(/\s+/).slice(0, 10)
  return chooseLocale(tags.map((tag, n) => `${tag};q=${1 - n / 10}`).join(','))
}

/** Forms lead to addresses without it, so the browser keeps it until it is closed. */
function remember({ pdsHost }: FastifyRequest, { raw }: FastifyReply, locale: Locale): void {
  const secure = pdsHost.publicUrl.startsWith('https:') ? '; Secure' : ''
  raw.appendHeader('set-cookie', `${cookieName}=${locale}; Path=/; HttpOnly; SameSite=Lax${secure}`)
}

function remembered({ headers }: FastifyRequest): Locale | undefined {
  const kept = /(?:^|;\s*)ui-locale=([a-z]{2})(?:;|$)/.exec(headers.cookie ?? '')?.[1]
  return kept === undefined ? undefined : chooseLocale(kept)
}

/** A colour in both schemes, as CSS; `text` is what can be read on it. */
export type BrandColors = { color: string; text: string }

/** Returns the brand's colour as it can be read on the page (WCAG 2.2, 1.4.3), and text as it can be read on that. */
export function brandColors(brandColor: string): BrandColors {
  const light = readableOn(brandColor, backgrounds.light)
  const dark = readableOn(brandColor, backgrounds.dark)
  return {
    color: `light-dark(${light}, ${dark})`,
    text: `light-dark(${textOn(light)}, ${textOn(dark)})`,
  }
}
