import type { Locale } from '@rookery/tenants'

import { type Html, markup } from './markup.ts'
import { navTexts } from './texts/nav.ts'

/** The pages of an account's owner, in the order in which they are shown. */
export const ownPaths = {
  security: '/security',
  settings: '/settings',
  sessions: '/sessions',
  apps: '/apps',
  export: '/export',
  leave: '/leave',
} as const

/** Returns the links to the pages of an account's owner, this one marked. */
export function navOf(path: string, { did, locale }: { did: string; locale: Locale }): Html {
  const texts = navTexts[locale]
  const query = new URLSearchParams({ did }).toString()
  const links = Object.entries(ownPaths).map(([name, to]) => {
    const text = texts[name as keyof typeof ownPaths]
    return markup`<a href="${to}?${query}" ${to === path && markup`aria-current="page"`}>${text}</a> `
  })
  return markup`<nav aria-label="${texts.label}">${links}</nav>`
}
