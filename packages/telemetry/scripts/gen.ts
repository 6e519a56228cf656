import { writeFile } from 'node:fs/promises'

import { metricsDocument } from '../src/index.ts'

await writeFile(new URL('../../../docs/metrics.md', import.meta.url), metricsDocument())
