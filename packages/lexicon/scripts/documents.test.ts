import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { bundledIds, bundledLexicons } from '../src/bundled.ts'
import { parseDocument } from '../src/document.ts'
import {
  type Document,
  bundleText,
  documentPath,
  documentText,
  takenDocuments,
  takenNamespaces,
} from './documents.ts'
import { bundleFile, documentFiles, documentsDirectory, writtenDocuments } from './files.ts'

describe('the committed documents', () => {
  const taken = takenDocuments()

  test('equal what the generator makes', () => {
    const stale = taken.filter((document) => {
      return (
        readFileSync(new URL(documentPath(document.id), documentsDirectory), 'utf8') !==
        documentText(document)
      )
    })
    expect(stale.map(({ id }) => id)).toEqual([])
    const ids = [...taken, ...writtenDocuments()].map((document) => documentPath(document.id))
    expect(documentFiles().toSorted()).toEqual(ids.toSorted())
  })

  test('are what the program loads', () => {
    expect(readFileSync(bundleFile, 'utf8') === bundleText([...taken, ...writtenDocuments()])).toBe(true)
  })

  test('are lexicons, each under its own id, and those by hand under our name', () => {
    for (const document of [...taken, ...writtenDocuments()]) {
      expect(parseDocument(document).id).toBe(document.id)
      expect(takenNamespaces.includes(document.id.split('.')[0] ?? '')).toBe(
        !document.id.startsWith('net.rookery.'),
      )
    }
  })

  test('refer to nothing that is missing', () => {
    const lexicons = bundledLexicons()
    for (const id of bundledIds()) {
      const document = lexicons.findDocument(id)
      for (const ref of refsOf(document)) {
        const [other = '', name = 'main'] = (ref.startsWith('#') ? id + ref : ref).split('#')
        expect(lexicons.findDocument(other)?.defs).toHaveProperty([name])
      }
    }
  })
})

function refsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refsOf)
  if (typeof value !== 'object' || value === null) return []
  const { type, ref, refs } = value as Document & { ref?: unknown; refs?: unknown }
  if (type === 'ref' && typeof ref === 'string') return [ref]
  if (type === 'union' && Array.isArray(refs)) return refs.map(String)
  return Object.values(value).flatMap(refsOf)
}
