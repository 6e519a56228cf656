import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { projectDir, readCoverage, referenceVersion } from './coverage.ts'
import { coverageDocument } from './document.ts'

await writeFile(
  join(projectDir, 'docs/reference-coverage.md'),
  coverageDocument(readCoverage(), referenceVersion()),
)
