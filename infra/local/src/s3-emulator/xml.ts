/** An element's content: text, or elements by name; an array repeats the element. */
export type XmlContent = string | number | boolean | { [name: string]: XmlContent | XmlContent[] }

/** Returns a document with one root element in S3's namespace. */
export function xmlDocument(root: string, content: XmlContent): string {
  const inner = render(content)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`
}

/** Returns the contents of all elements of a name, in order; nested ones of the same name are not expected. */
export function xmlElements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g')
  return Array.from(xml.matchAll(pattern), (match) => match[1] ?? '')
}

/** Returns the text of the first element of a name, or undefined. */
export function xmlText(xml: string, name: string): string | undefined {
  const [inner] = xmlElements(xml, name)
  return inner === undefined ? undefined : unescape(inner)
}

function render(content: XmlContent): string {
  if (typeof content !== 'object') return escape(String(content))
  return Object.entries(content)
    .flatMap(([name, value]) => {
      const values = Array.isArray(value) ? value : [value]
      return values.map((item) => `<${name}>${render(item)}</${name}>`)
    })
    .join('')
}

function escape(text: string): string {
  return text.replace(/[&<>"\r]/g, (char) => `&#${char.charCodeAt(0)};`)
}

function unescape(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (decimal) return String.fromCodePoint(Number(decimal))
      if (hex) return String.fromCodePoint(parseInt(hex, 16))
      return named[name ?? ''] ?? whole
    },
  )
}
