import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { methodsDocument } from './document.ts'
import { projectDir } from './source-files.ts'

await writeFile(join(projectDir, 'docs/methods.md'), methodsDocument())
