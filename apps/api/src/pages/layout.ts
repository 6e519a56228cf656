import { hash } from 'node:crypto'

import type { FastifyReply } from 'fastify'
import { LRUCache } from 'lru-cache'

import { imageSource } from './image-source.ts'
import { liveScript } from './live-script.ts'
import { type Look, backgrounds, brandColors } from './look.ts'
import { Html, markup } from './markup.ts'
import { passkeyScript } from './passkey-script.ts'
import { layoutTexts } from './texts/layout.ts'

/** Style sheets that are kept made: one for each colour of a brand. */
const styleSheetsMax = 500

type StyleSheet = { css: Html; hash: string }

const styleSheets = new LRUCache<string, StyleSheet>({ max: styleSheetsMax, memoMethod: makeStyleSheet })

/** A page of ours. */
export type Page = {
  look: Look
  title: string
  body: Html
  /** Where the browser goes on by itself. */
  goOnTo?: string
  /** Whether the page has forms for passkeys. */
  hasPasskeys?: boolean
  /** Links to the pages beside it. */
  nav?: Html
  /** Whether what is marked with `data-live` is kept up to date. */
  isLive?: boolean
}

const script = new Html(`<script>${passkeyScript}</script>`)
const liveMarkup = new Html(`<script>${liveScript}</script>`)
const liveHash = hash('sha256', liveScript, 'base64')
const scriptHash = hash('sha256', passkeyScript, 'base64')

/** Answers with a page: nothing of it is kept or framed, no scripts run but ours for passkeys and for what is live, and the logo alone may be loaded. */
export function sendPage(reply: FastifyReply, page: Page, status = 200): FastifyReply {
  const styleSheet = styleSheets.memo(page.look.brandColor)
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .headers({
      'content-security-policy': policyOf(page, styleSheet),
      'cache-control': 'no-store',
      'content-language': page.look.locale,
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    })
    .send(render(page, styleSheet.css))
}

function policyOf({ look: { logoUrl }, hasPasskeys, isLive }: Page, styleSheet: StyleSheet): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${styleSheet.hash}'`,
    ...(hasPasskeys === true ? [`script-src 'sha256-${scriptHash}'`] : []),
    ...(isLive === true ? [`script-src 'sha256-${liveHash}'`, "connect-src 'self'"] : []),
    ['img-src data:', ...(logoUrl === null ? [] : [imageSource(logoUrl)])].join(' '),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function render({ look, title, body, goOnTo, hasPasskeys, nav, isLive }: Page, css: Html): string {
  return markup`<!doctype html>
    <html lang="${look.locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${goOnTo !== undefined && markup`<meta http-equiv="refresh" content="0; url=${goOnTo}" />`}
        <title>${title} · ${look.brand}</title>
        <style>${css}</style>
      </head>
      <body>
        <header>${heading(look)}</header>
        ${nav}
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
        ${footer(look)} ${hasPasskeys === true && script} ${isLive === true && liveMarkup}
      </body>
    </html> `.text
}

function heading({ logoUrl, brand }: Look): Html {
  if (logoUrl === null) return markup`${brand}`
  return markup`<img class="logo" src="${logoUrl}" alt="${brand}" referrerpolicy="no-referrer" />`
}

function footer({ termsUrl, privacyUrl, supportUrl, locale }: Look): Html | false {
  const { terms, privacy, support } = layoutTexts[locale]
  const links = [
    { href: termsUrl, rel: 'terms-of-service', text: terms },
    { href: privacyUrl, rel: 'privacy-policy', text: privacy },
    { href: supportUrl, rel: 'help', text: support },
  ].filter(({ href }) => href !== null)
  if (links.length === 0) return false
  return markup`<footer>
    ${links.map(({ href, rel, text }) => markup`<a href="${href}" rel="${rel}">${text}</a> `)}
  </footer>`
}

function makeStyleSheet(brandColor: string): StyleSheet {
  const css = styleIn(brandColor)
  return { css: new Html(css), hash: hash('sha256', css, 'base64') }
}

function styleIn(brandColor: string): string {
  const { color, text } = brandColors(brandColor)
  return `
:root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 25%, transparent); --edge: color-mix(in srgb, currentColor 60%, transparent); --brand: ${color}; --on-brand: ${text}; }
* { box-sizing: border-box; }
html { background: light-dark(${backgrounds.light}, ${backgrounds.dark}); color: light-dark(#1f242b, #e7eaee); border-top: .4rem solid ${brandColor}; }
body { max-width: 38rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1.25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-bottom: 1.5rem; }
nav a[aria-current] { color: inherit; font-weight: 600; text-decoration: none; }
header { margin-bottom: 1.5rem; font-weight: 600; }
.logo { display: block; max-height: 3rem; max-width: 14rem; padding: .35rem .5rem; border-radius: .4rem; background: #fff; color: #1f242b; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .9rem; }
footer a { margin-inline-end: 1rem; }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
input:not([type=hidden], [type=checkbox]) { width: 100%; font: inherit; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: .4rem; background: Field; color: FieldText; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .4rem 1.1rem; margin: 1rem .5rem 0 0; border: 1px solid transparent; border-radius: .4rem; background: var(--brand); color: var(--on-brand); cursor: pointer; }
button.plain { background: transparent; color: inherit; border-color: var(--edge); }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
a { color: var(--brand); }
ul.rows { list-style: none; padding: 0; margin: .5rem 0; }
ul.rows li { border-bottom: 1px solid var(--line); padding: .6rem 0; }
ul.rows form { display: inline; }
ul.rows button { margin: 0 0 0 .75rem; min-height: 2.25rem; }
[hidden] { display: none; }
label.inline { display: inline; font-weight: 400; }
.note { color: color-mix(in srgb, currentColor 85%, transparent); margin: .25rem 0; }
.alert, .done { padding: .7rem 1rem; border-radius: .4rem; border-left: 4px solid light-dark(#b3261e, #ff9a90); background: color-mix(in srgb, currentColor 7%, transparent); }
.done { border-color: light-dark(#1b6b3a, #86d9a3); }
code, .secret { font-family: ui-monospace, monospace; }
.secret { font-size: 1.1rem; padding: .6rem .8rem; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: .4rem; }
.qr { width: 12rem; height: 12rem; background: #fff; padding: .5rem; border-radius: .4rem; display: block; }
`
}
