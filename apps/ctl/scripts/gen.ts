import { writeFile } from 'node:fs/promises'

import { commandReference } from '../src/app.ts'

await writeFile(new URL('../../../docs/ctl.md', import.meta.url), await commandReference())
