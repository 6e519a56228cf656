import { writeFile } from 'node:fs/promises'

import { configurationDocument } from '../src/index.ts'

await writeFile(new URL('../../../docs/configuration.md', import.meta.url), configurationDocument())
