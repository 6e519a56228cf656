import type { Locale } from '@rookery/tenants'
import Negotiator from 'negotiator'

import { de } from './messages/de.ts'
import { en } from './messages/en.ts'
import { es } from './messages/es.ts'
import { fr } from './messages/fr.ts'
import { ja } from './messages/ja.ts'
import type { NoticeTemplate, TemplateName, TokenTemplate } from './names.ts'

/** The words of one language. `{account}`, `{brand}`, `{duration}` and `{address}` are filled in. */
export type Messages = {
  direction: 'ltr' | 'rtl'
  subjects: Record<TemplateName, string>
  /** What comes before the token. */
  requests: Record<TokenTemplate, string>
  /** What comes after it: how long it is good, and what to do if nobody asked. */
  advice: Record<TokenTemplate, readonly string[]>
  notices: Record<NoticeTemplate, readonly string[]>
  footer: {
    /** Why somebody got this mail. */
    reason: string
    support: string
    contact: string
  }
}

/** Every language. A word that one lacks is a type error. */
export const messages: Record<Locale, Messages> = { en, de, fr, es, ja }

/** Returns the language of an Accept-Language header that there is and is preferred, or undefined. */
export function chooseLocale(acceptLanguage: string | undefined): Locale | undefined {
  if (acceptLanguage === undefined) return undefined
  const negotiator = new Negotiator({ headers: { 'accept-language': acceptLanguage } })
  return negotiator.language(Object.keys(messages)) as Locale | undefined
}

/** Tells whether a text names a language that there is. */
export function isLocale(text: string): text is Locale {
  return Object.hasOwn(messages, text)
}

/** Returns a time in words of the language, such as `15 minutes`. */
export function durationInWords(locale: Locale, durationMs: number): string {
  const minutes = Math.round(durationMs / 60_000)
  const [value, unit] = minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute']
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value)
}

/** Fills the named places of a text. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place)
}
