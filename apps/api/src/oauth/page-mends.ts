import { hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/**
 * Makes text readable where the provider's own pages do not: their main button loses the colour that goes with the
 * tenant's, and their grey is too light on grey. What has the focus shows, whatever the tenant's colour.
 */
const style = `
:root { --ring: color-mix(in oklab, var(--primary), var(--foreground)); }
.bg-primary, .bg-primary:hover { background-color: var(--primary); color: var(--primary-foreground); }
@media (prefers-color-scheme: light) { :root { --muted-foreground: oklch(48% 0 0); } }
`

/**
 * Tells those who do not see the page what its components leave out or get wrong: the language that it is in, the
 * names of its menu of languages, of the progress of a sign-up and of fields, and what is a list or a notice. Text is
 * read as it stands, and a button that shows text is named by it; what it was named besides describes it.
 */
const script = `
const mends = {
  '[role=combobox] + input': (input) => {
    if (/^[a-z]{2,3}(-\\w+)*$/.test(input.value)) document.documentElement.lang = input.value
  },
  '[role=combobox][aria-label=vHJQ4A]': (menu) => menu.setAttribute('aria-label', 'Language'),
  '[role=progressbar]': (bar) => bar.setAttribute('aria-label', bar.previousElementSibling?.textContent ?? document.title),
  '[role=list]:has(> button):not(:has(> [role=listitem]))': (list) => list.setAttribute('role', 'group'),
  'input[title]:not([aria-label])': (input) => input.labels.length === 0 && input.setAttribute('aria-label', input.title),
  'input[autocomplete="username email"]': (input) => input.setAttribute('autocomplete', 'email'),
  '[role=warning]': (notice) => notice.setAttribute('role', 'note'),
  'span[aria-label]:not([role])': (text) => text.removeAttribute('aria-label'),
  'button[aria-label]:not([role])': (button) => {
    const name = button.getAttribute('aria-label')
    if (name.toLowerCase().includes(button.innerText.trim().toLowerCase())) return
    button.removeAttribute('aria-label')
    button.setAttribute('aria-description', name)
  },
}
const mend = () => {
  for (const [selector, mend] of Object.entries(mends)) document.querySelectorAll(selector).forEach(mend)
}
new MutationObserver(mend).observe(document, { childList: true, characterData: true, subtree: true })
`

const sources = { 'script-src': sourceOf(script), 'style-src': sourceOf(style) }

/** Adds to the provider's pages what they lack for everybody to use them, and allows just that. */
export function mendPages(response: ServerResponse): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse
  response.end = ((...args: unknown[]) => {
    const [page, ...others] = args
    if (typeof page !== 'string' || !page.includes('<div id="root">')) return end(...args)
    const policy = String(response.getHeader('content-security-policy'))
    response.setHeader('content-security-policy', policy.split('; ').map(allow).join('; '))
    return end(mend(page), ...others)
  }) as ServerResponse['end']
}

function mend(page: string): string {
  return page
    .replace('<html', '<html lang="en"')
    .replace('</head>', () => `<style>${style}</style><script>${script}</script></head>`)
}

function allow(directive: string): string {
  const [name = ''] = directive.split(' ', 1)
  return Object.hasOwn(sources, name) ? `${directive} ${sources[name as keyof typeof sources]}` : directive
}

function sourceOf(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`
}
