import { existsSync, readFileSync, readdirSync } from 'node:fs'

import { type Document, takenNamespaces } from './documents.ts'

/** Where documents lie, one file each. */
export const documentsDirectory = new URL('../documents/', import.meta.url)

/** The generated module that carries them all. */
export const bundleFile = new URL('../src/generated/documents.generated.ts', import.meta.url)

/** Returns the paths of all document files, relative to the directory. */
export function documentFiles(): string[] {
  if (!existsSync(documentsDirectory)) return []
  return readdirSync(documentsDirectory, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.json'),
  )
}

/** Returns the documents written by hand: those outside the taken namespaces. */
export function writtenDocuments(): Document[] {
  return documentFiles()
    .filter((path) => !takenNamespaces.includes(path.split('/')[0] ?? ''))
    .map((path) => JSON.parse(readFileSync(new URL(path, documentsDirectory), 'utf8')) as Document)
}
