import { schemas } from '@atproto/api'

/** A lexicon document, as JSON. */
export type Document = { id: string; [key: string]: unknown }

/** Namespaces whose documents come from the npm package; all others are written by hand. */
export const takenNamespaces = ['app', 'chat', 'com', 'tools']

/** Returns the documents that the npm package carries, their references in the form that documents have on the network. */
export function takenDocuments(): Document[] {
  // Importing the package's own registry rewrites `#name` and `nsid` to `lex:nsid#name` in place; undo that.
  return schemas
    .map((schema) => shortenRefs(schema as unknown as Document, schema.id) as Document)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Returns where a document lies under `documents/`: one folder per segment of its id. */
export function documentPath(id: string): string {
  return `${id.replaceAll('.', '/')}.json`
}

/** Returns the text of a document's file. */
export function documentText(document: Document): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

/**
 * Returns the module that the program loads: one line per document, each JSON text parsed when first needed, without
 * the descriptions, which no check reads.
 */
export function bundleText(documents: Iterable<Document>): string {
  const lines = [...documents]
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((document) => `  ${quoted(document.id)}: ${quoted(JSON.stringify(withoutDescriptions(document)))},`)
  return [
    '// Do not edit; run `pnpm --filter @rookery/lexicon gen`.',
    'export const documents: Readonly<Record<string, string>> = {',
    ...lines,
    '}',
    '',
  ].join('\n')
}

function shortenRefs(value: unknown, id: string): unknown {
  if (typeof value === 'string' && value.startsWith('lex:')) {
    const ref = value.slice('lex:'.length)
    return ref.startsWith(`${id}#`) ? ref.slice(id.length) : ref
  }
  if (Array.isArray(value)) return value.map((item) => shortenRefs(item, id))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shortenRefs(item, id)]))
}

/** A property may be called `description`: only texts are dropped, and a property's definition is an object. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(
    ([key, item]) => key !== 'description' || typeof item !== 'string',
  )
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutDescriptions(item)]))
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
