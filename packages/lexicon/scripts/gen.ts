import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { bundleText, documentPath, documentText, takenDocuments, takenNamespaces } from './documents.ts'
import { documentsDirectory, bundleFile, writtenDocuments } from './files.ts'

const taken = takenDocuments()
for (const namespace of takenNamespaces) {
  rmSync(new URL(`${namespace}/`, documentsDirectory), { recursive: true, force: true })
}
for (const document of taken) {
  const file = new URL(documentPath(document.id), documentsDirectory)
  mkdirSync(dirname(file.pathname), { recursive: true })
  writeFileSync(file, documentText(document))
}
writeFileSync(bundleFile, bundleText([...taken, ...writtenDocuments()]))
