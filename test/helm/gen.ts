import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { chartDir } from './chart.ts'
import { generatedFiles } from './generated.ts'

for (const [name, text] of Object.entries(generatedFiles())) await writeFile(join(chartDir, name), text)
