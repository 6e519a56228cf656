import { convert } from 'html-to-text'
import sanitizeHtml from 'sanitize-html'

import { escapeHtml } from './escape-html.ts'

const allowed: sanitizeHtml.IOptions = {
  allowedTags: 'p br hr b strong i em u s a ul ol li blockquote pre code h2 h3 h4'.split(' '),
  // No images and no styles: what a moderator's tool puts in must neither track nor hide.
  allowedAttributes: { a: ['href'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  transformTags: { h1: 'h2' },
}

/** Returns what somebody wrote, as HTML or as plain text, as HTML of a few harmless elements. */
export function safeHtml(content: string): string {
  if (/<\/?[a-z][^>]*>/i.test(content)) return sanitizeHtml(content, allowed).trim()
  return escapeHtml(content.trim())
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .map((text) => `<p>${text.replaceAll(/\r?\n/g, '<br>\n')}</p>`)
    .join('\n')
}

/** Returns the plain text of HTML, its lines not broken. */
export function htmlToText(html: string): string {
  const plain = { options: { uppercase: false } }
  const selectors = ['h2', 'h3', 'h4'].map((selector) => ({ selector, ...plain }))
  return convert(html, { wordwrap: false, selectors })
}
