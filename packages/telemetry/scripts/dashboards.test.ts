import { readFileSync, readdirSync } from 'node:fs'

import { expect, test } from 'vitest'

import { dashboards } from './dashboards.ts'
import { grafanaDashboard } from './grafana.ts'

const folder = new URL('../../../helm/rookery/files/dashboards/', import.meta.url)

test('the dashboards of the chart are those described here', () => {
  expect(readdirSync(folder).sort()).toEqual(dashboards.map(({ name }) => `${name}.json`).sort())
  for (const dashboard of dashboards) {
    const written: unknown = JSON.parse(readFileSync(new URL(`${dashboard.name}.json`, folder), 'utf8'))
    expect(written, 'run pnpm gen').toEqual(grafanaDashboard(dashboard))
  }
})
