import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { projectDir, readCoverage, referenceVersion } from './reference/coverage.ts'
import { coverageDocument } from './reference/document.ts'
import { readProofs, readSections } from './spec/conformance.ts'
import { conformanceDocument } from './spec/document.ts'

const write = (name: string, text: string) => writeFile(join(projectDir, 'docs', name), text)

await write('reference-coverage.md', coverageDocument(readCoverage(), referenceVersion()))
await write('conformance.md', conformanceDocument(readSections(), readProofs()))
