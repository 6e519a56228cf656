import { writeFile } from 'node:fs/promises'

import { metricsDocument } from '../src/index.ts'
import { dashboards } from './dashboards.ts'
import { grafanaDashboard } from './grafana.ts'

const project = new URL('../../../', import.meta.url)
await writeFile(new URL('docs/metrics.md', project), metricsDocument())
for (const dashboard of dashboards) {
  const file = new URL(`helm/rookery/files/dashboards/${dashboard.name}.json`, project)
  await writeFile(file, `${JSON.stringify(grafanaDashboard(dashboard), undefined, 2)}\n`)
}
