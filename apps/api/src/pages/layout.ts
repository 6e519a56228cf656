import { hash } from 'node:crypto'

import type { FastifyReply } from 'fastify'

import { Html, markup } from './markup.ts'
import { passkeyScript } from './passkey-script.ts'

const css = `
:root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 25%, transparent); }
* { box-sizing: border-box; }
body { max-width: 38rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1.25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; }
header { margin-bottom: 1.5rem; opacity: .8; }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
input:not([type=hidden], [type=checkbox]) { width: 100%; font: inherit; padding: .55rem .7rem; border: 1px solid var(--line); border-radius: .4rem; background: Field; color: FieldText; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .4rem 1.1rem; margin: 1rem .5rem 0 0; border: 1px solid transparent; border-radius: .4rem; background: light-dark(#1f4b99, #9dc1ff); color: light-dark(#fff, #0b1526); cursor: pointer; }
button.plain { background: transparent; color: inherit; border-color: var(--line); }
:focus-visible { outline: 3px solid light-dark(#1f4b99, #9dc1ff); outline-offset: 2px; }
a { color: light-dark(#1f4b99, #9dc1ff); }
ul.rows { list-style: none; padding: 0; margin: .5rem 0; }
ul.rows li { border-bottom: 1px solid var(--line); padding: .6rem 0; }
ul.rows form { display: inline; }
ul.rows button { margin: 0 0 0 .75rem; min-height: 2.25rem; }
[hidden] { display: none; }
label.inline { display: inline; font-weight: 400; }
.note { opacity: .8; margin: .25rem 0; }
.alert, .done { padding: .7rem 1rem; border-radius: .4rem; border-left: 4px solid light-dark(#b3261e, #ff9a90); background: color-mix(in srgb, currentColor 7%, transparent); }
.done { border-color: light-dark(#1b6b3a, #86d9a3); }
code, .secret { font-family: ui-monospace, monospace; }
.secret { font-size: 1.1rem; padding: .6rem .8rem; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: .4rem; }
.qr { width: 12rem; height: 12rem; background: #fff; padding: .5rem; border-radius: .4rem; display: block; }
`

/** A page of ours. */
export type Page = {
  title: string
  /** The tenant in whose name it is shown. */
  brand: string
  body: Html
  /** Where the browser goes on by itself. */
  goOnTo?: string
  /** Whether the page has forms for passkeys. */
  hasPasskeys?: boolean
}

const style = new Html(`<style>${css}</style>`)
const script = new Html(`<script>${passkeyScript}</script>`)

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', css, 'base64')}'`,
  `script-src 'sha256-${hash('sha256', passkeyScript, 'base64')}'`,
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Answers with a page: nothing of it is kept, framed or loaded from anywhere, and one script run. */
export function sendPage(reply: FastifyReply, page: Page, status = 200): FastifyReply {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .headers({
      'content-security-policy': policy,
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    })
    .send(render(page))
}

function render({ title, brand, body, goOnTo, hasPasskeys }: Page): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${goOnTo !== undefined && markup`<meta http-equiv="refresh" content="0; url=${goOnTo}" />`}
        <title>${title} · ${brand}</title>
        ${style}
      </head>
      <body>
        <header>${brand}</header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
        ${hasPasskeys === true && script}
      </body>
    </html> `.text
}
