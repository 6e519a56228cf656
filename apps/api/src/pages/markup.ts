/** Text that is HTML already. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | false | null | undefined | Html | readonly Part[]

/** Makes HTML of a template: what is filled in is escaped, unless it is HTML itself. Lists are joined, nothing is left out. */
export function markup(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.reduce((all, text, n) => `${all}${toHtml(parts[n - 1])}${text}`))
}

function toHtml(part: Part): string {
  if (part instanceof Html) return part.text
  if (isList(part)) return part.map(toHtml).join('')
  if (part === false || part === null || part === undefined) return ''
  return escapeHtml(String(part))
}

function isList(part: Part): part is readonly Part[] {
  return Array.isArray(part)
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Returns text as it is written in HTML, also between quotes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
}
