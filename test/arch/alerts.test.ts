import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { metrics } from '@rookery/telemetry'
import { beforeAll, describe, expect, test } from 'vitest'

import { readAlerts, scaledAlerts } from '../support/alert-rules.ts'
import { readRunbooks } from '../support/runbooks.ts'
import { projectDir } from './project-files.ts'

const alerts = readAlerts()
const dashboardsDir = join(projectDir, 'helm/rookery/files/dashboards')
const dashboards = readdirSync(dashboardsDir).map(
  (file) =>
    JSON.parse(readFileSync(join(dashboardsDir, file), 'utf8')) as {
      title: string
      panels: { title: string; targets: { expr: string }[] }[]
    },
)

/** Names of the metrics that a process tells of, those of the library among them. */
const emitted = new Set<string>()

beforeAll(async () => {
  metrics.start('test')
  for (const [, name = '', type] of (await metrics.page()).matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    emitted.add(name)
    if (type === 'histogram') for (const part of ['bucket', 'sum', 'count']) emitted.add(`${name}_${part}`)
  }
})

function unknownMetrics(expression: string): string[] {
  return [...expression.matchAll(/\brookery_[a-z0-9_]+/g)]
    .map(([name]) => name)
    .filter((name) => !emitted.has(name))
}

describe('every alert', () => {
  const runbooks = readRunbooks()

  test('has a runbook that says what it means, where to look and what to do, and every runbook has an alert', () => {
    expect(runbooks.map(({ name }) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort())
    expect(runbooks.filter(({ text }) => !/Means: .+ Look(: | and do: ).+/.test(text))).toEqual([])
  })

  test.each(alerts)('$alert links to its runbook', ({ alert, annotations }) => {
    expect(annotations.runbook_url).toBe(`docs/operations.md#${alert.toLowerCase()}`)
  })

  test.each(alerts)('$alert looks at metrics that the code emits', ({ expr }) => {
    expect(expr).toMatch(/rookery_/)
    expect(unknownMetrics(expr)).toEqual([])
  })

  test('says how urgent it is', () => {
    expect(alerts.filter(({ labels }) => !['page', 'ticket'].includes(labels.severity))).toEqual([])
  })
})

test('every panel of a dashboard looks at metrics that the code emits', () => {
  expect(dashboards.length).toBeGreaterThan(0)
  const wrong = dashboards.flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      panel.targets.flatMap(({ expr }) =>
        unknownMetrics(expr).map((name) => `${title}, ${panel.title}: ${name}`),
      ),
    ),
  )
  expect(wrong).toEqual([])
})

test('a metric that nobody emits is found', () => {
  expect(unknownMetrics('rate(rookery_gone_total[5m]) / rookery_jobs')).toEqual(['rookery_gone_total'])
})

test('alerts with shorter times are otherwise the same', () => {
  const withoutTimes = (text: string): string => text.replaceAll(/\d+ms\b/g, 'time').replaceAll(/\s+/g, ' ')
  expect(withoutTimes(scaledAlerts(60))).toBe(withoutTimes(scaledAlerts(1)))
  expect(scaledAlerts(60)).toContain('[5000ms]')
})
